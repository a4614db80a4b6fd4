internal import Archives
internal import Glibc
package import MediaModel
internal import Storage
internal import Synchronization

/// The bytes of an archive: a file's, read at a position of its own, or those of standard input. One owner reads; how far
/// it is may be asked by anyone.
final class ArchiveInput: ByteSource, Sendable {
    /// Enough to tell a compression and a tar.
    private static let headBytes = 512

    let path: BytePath
    /// Nil where it comes through a pipe.
    let size: Int64?
    let compression: Compression
    private let descriptor: Int32
    /// As it was when it was opened.
    private let metadata: Metadata
    /// What was read ahead for a look, and of standard input cannot be read again.
    private let head: [UInt8]
    private let position = Atomic<Int64>(0)

    /// - Parameter path: `-` is standard input.
    init(_ path: BytePath) throws(SyncError) {
        self.path = path
        do throws(FileFault) {
            let file = path == BytePath("-") ? try OpenFile.duplicate(STDIN_FILENO) : try OpenFile.openUserFile(path)
            file.willReadSequentially()
            metadata = try file.metadata()
            size = metadata.kind == .file ? metadata.size : nil
            head = try Self.head(of: file)
            descriptor = file.detach()
        } catch {
            var problem = error.syncError("cannot open the archive \(path)")
            if problem.code == .item { problem.code = .unusable }
            throw problem
        }
        compression = Compression(prefix: head)
    }

    deinit {
        _ = OpenFile(raw: descriptor)
    }

    private static func head(of file: borrowing OpenFile) throws(FileFault) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: headBytes, alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        while filled < headBytes {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return Array(buffer[..<filled])
    }

    /// Bytes that were read so far.
    var bytesRead: Int64 { position.load(ordering: .relaxed) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        let done = bytesRead
        if done < head.count {
            let rest = head[Int(done)...].prefix(buffer.count)
            buffer.copyBytes(from: rest)
            position.wrappingAdd(Int64(rest.count), ordering: .relaxed)
            return rest.count
        }
        do throws(FileFault) {
            let count = try OpenFile.read(descriptor: descriptor, into: buffer)
            position.wrappingAdd(Int64(count), ordering: .relaxed)
            return count
        } catch {
            var problem = error.syncError("cannot read the archive \(path)")
            if problem.code == .item { problem.code = .unusable }
            throw problem
        }
    }

    /// The tar in it.
    func decompressed() throws(SyncError) -> any ByteSource {
        compression == .none ? self : try DecompressingSource(self, compression: compression)
    }

    /// Throws where the file was written to while it was read.
    func checkUnchanged() throws(SyncError) {
        guard size != nil, let now = try? Metadata(ofOpen: descriptor), !now.sameVersion(as: metadata) else { return }
        throw SyncError(
            .sourceChanged,
            "the archive \(path) changed while it was read",
            hint: "wait until it is complete, then run the same command again"
        )
    }
}

/// Tells archives from everything else that can be copied from.
package enum MediaArchive {
    /// Whether a path is a regular file that is compressed or a tar, by its content; `-` is.
    package static func isOne(_ path: BytePath) -> Bool {
        if path == BytePath("-") { return true }
        guard let metadata = try? Metadata(ofUserPath: path), metadata.kind == .file,
            let input = try? ArchiveInput(path)
        else { return false }
        return input.compression != .none || input.beginsAsTar
    }
}

extension ArchiveInput {
    /// `ustar` stands in the first header of every tar that anybody writes today.
    var beginsAsTar: Bool { head.count == Self.headBytes && head[257...].starts(with: "ustar".utf8) }
}
