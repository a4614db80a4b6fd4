package import Foundation
internal import Glibc

/// A directory of its own for one test; gone when the value is. Names are bytes.
package final class TemporaryTree: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "mediasync-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// The bytes of a path below the directory, with a NUL behind.
    private func pathBytes(_ relative: [UInt8]) -> [CChar] {
        (Array(url.path.utf8) + [UInt8(ascii: "/")] + relative + [0]).map { CChar(bitPattern: $0) }
    }

    /// Makes a directory; its parent must be there.
    package func makeDirectory(_ relative: [UInt8], mode: UInt32 = 0o755) {
        _ = mkdir(pathBytes(relative), 0o700)
        _ = chmod(pathBytes(relative), mode)
    }

    /// Writes a file.
    package func makeFile(_ relative: [UInt8], contents: [UInt8] = [], mode: UInt32 = 0o644) {
        let descriptor = open(pathBytes(relative), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0, "open failed: \(errno)")
        _ = write(descriptor, contents, contents.count)
        close(descriptor)
        _ = chmod(pathBytes(relative), mode)
    }

    /// An entry's permission bits; nil where there is none.
    package func mode(_ relative: [UInt8]) -> UInt32? {
        var status = stat()
        return lstat(pathBytes(relative), &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}
