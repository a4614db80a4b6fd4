import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// A tar archive is all there, or it is refused: what pg_restore would wait for, or not miss.
@Suite struct TarLayoutTests {
    /// A member as pg_dump writes it.
    private static func member(_ name: String, _ bytes: [UInt8], size: String? = nil) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        put(name, at: 0)
        put("0000600", at: 100)
        let octal = String(bytes.count, radix: 8)
        put(size ?? String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
        put("0", at: 156)
        put("ustar", at: 257)
        put("        ", at: 148)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        return header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private static let whole =
        member("toc.dat", Array("toc".utf8)) + member("1.dat", [UInt8](repeating: 0x41, count: 1024))
        + member("empty.dat", []) + member("restore.sql", Array("-- words".utf8)) + [UInt8](repeating: 0, count: 1024)

    private func check(_ bytes: [UInt8]) throws {
        let place = try TemporaryDirectory()
        let file = try DumpReading.open(bytes, in: place)
        try TarLayout.check(file.descriptor, size: file.size, path: file.path)
    }

    @Test("one that is whole is taken, padded by whatever zeros as well")
    func whole() throws {
        try check(Self.whole)
        try check(Self.whole + [UInt8](repeating: 0, count: 10_240))
    }

    @Test("one that was cut anywhere is refused")
    func cut() {
        for length in stride(from: 512, to: Self.whole.count, by: 37) {
            let error = #expect(throws: SyncError.self) { try check(Array(Self.whole.prefix(length))) }
            #expect(error?.code == .unusable, "cut at \(length)")
        }
    }

    @Test("a header with any byte changed is refused")
    func damaged() {
        let start = 1024
        for place in [0, 100, 124, 130, 148, 153, 156, 257, 500] {
            var bytes = Self.whole
            bytes[start + place] ^= 1
            let error = #expect(throws: SyncError.self) { try check(bytes) }
            #expect(error?.code == .unusable, "at \(place)")
        }
    }

    @Test("sizes that lead nowhere are refused", arguments: ["77777777777", "\u{0}", "9", "           ", "-1"])
    func sizes(size: String) {
        #expect(throws: SyncError.self) {
            try check(Self.member("toc.dat", [], size: size) + [UInt8](repeating: 0, count: 1024))
        }
    }

    @Test("a member of more than 8 GiB has a binary size")
    func large() {
        var header = Self.member("toc.dat", [])
        let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]
        header.replaceSubrange(124..<136, with: size)
        header.replaceSubrange(148..<156, with: "        ".utf8)
        let sum = Array(String(header.reduce(0) { $0 + Int($1) }, radix: 8).utf8)
        header.replaceSubrange(148..<156, with: sum + [UInt8](repeating: 0, count: 8 - sum.count))
        #expect(TarLayout.memberBytes(header) == 12_884_901_889)
    }
}
