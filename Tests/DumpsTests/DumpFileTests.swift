import Archives
import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

@Suite struct DumpFileTests {
    private static let header = "--\n-- PostgreSQL database dump\n--\n"
    private static let cluster = "--\n-- PostgreSQL database cluster dump\n--\n"

    private static func tar(_ first: String) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 1024)
        block.replaceSubrange(0..<first.utf8.count, with: Array(first.utf8))
        block.replaceSubrange(257..<262, with: Array("ustar".utf8))
        return block
    }

    @Test(
        "kinds are told by content",
        arguments: [
            (Array(header.utf8), DumpKind.plain), (Array(cluster.utf8), .cluster),
            (Array(("\u{FEFF}\r\n" + header.replacing("\n", with: "\r\n")).utf8), .plain),
            (Array(("\n  \n-- made by hand\n\\restrict abc\n" + cluster).utf8), .cluster),
            (Array("PGDMP\u{1}\u{F}".utf8), .custom), (tar("toc.dat"), .tar),
        ] as [([UInt8], DumpKind)]
    )
    func kinds(bytes: [UInt8], kind: DumpKind) throws {
        let place = try TemporaryDirectory()
        for name in ["dump", "dump.tar.gz", "PGDMP"] {
            let file = try DumpReading.open(bytes, in: place, name: name)
            #expect(file.kind == kind && file.compression == .none && file.size == bytes.count)
        }
    }

    @Test(
        "what is no dump is refused, and says so",
        arguments: [
            [], [0x0A], [UInt8](repeating: 0, count: 100_000), [UInt8](repeating: 0x0A, count: 200_000),
            Array("SELECT 1;\n".utf8), Array("-- PostgreSQL database dum".utf8),
            Array("-- x\nSELECT 1;\n\(header)".utf8),
            Array("\\! id\n\(header)".utf8), Array("PGDM".utf8), tar("data.dat"), tar("toc.dat.x"),
            Array("#!/bin/sh\n".utf8),
            Array("REDIS0011".utf8), [0x1F, 0x8B, 0x08], [0x28, 0xB5, 0x2F, 0xFD],
        ] as [[UInt8]]
    )
    func noDump(bytes: [UInt8]) throws {
        let place = try TemporaryDirectory()
        let error = #expect(throws: SyncError.self) { _ = try DumpReading.open(bytes, in: place) }
        #expect(error?.code == .unusable && error?.hint != nil)
    }

    @Test("what is not there, or cannot be read, is said")
    func missing() throws {
        let place = try TemporaryDirectory()
        for path in [place.path / "nothing", place.path / "nothing" / "below"] {
            let error = #expect(throws: SyncError.self) { _ = try DumpFile.open(path, spoolDirectory: place.path) }
            #expect(error?.code == .unusable && error?.hint == "check the path")
        }
    }

    @Test("a directory is an archive where it holds toc.dat, and files only")
    func directories() throws {
        let place = try TemporaryDirectory()
        let path = place.path / "dump"
        try Disk.makeDirectory(path)
        func open() throws -> DumpFile { try DumpFile.open(path, spoolDirectory: place.path) }
        #expect(#expect(throws: SyncError.self) { _ = try open() }?.code == .unusable)
        try Disk.write(path / "toc.dat", "PGDMP")
        try Disk.write(path / "4242.dat", "1\n")
        let file = try open()
        #expect(file.kind == .directory && file.size == 7)
        try file.checkUnchanged()
        try Disk.write(path / "4243.dat", "2\n")
        let changed = #expect(throws: SyncError.self) { try file.checkUnchanged() }
        #expect(changed?.code == .sourceChanged)
        try Disk.makeLink(path / "4244.dat", to: BytePath("/etc/passwd"))
        #expect(#expect(throws: SyncError.self) { _ = try open() }?.code == .refused)
        try Disk.remove(path / "4244.dat")
        try Disk.makeDirectory(path / "inner")
        #expect(#expect(throws: SyncError.self) { _ = try open() }?.code == .refused)
    }

    @Test("the user's own link to a dump is followed")
    func link() throws {
        let place = try TemporaryDirectory()
        _ = try DumpReading.open(Array(DumpText().text().utf8), in: place, name: "real")
        try Disk.makeLink(place.path / "link", to: BytePath("real"))
        #expect(try DumpFile.open(place.path / "link", spoolDirectory: place.path).kind == .plain)
    }

    /// Writes a file into a pipe, in a program of its own: opening a pipe waits for the other side.
    private func pipe(_ text: [UInt8], in place: TemporaryDirectory) throws -> (path: BytePath, writer: RunningProgram)
    {
        try Disk.write(place.path / "text", text)
        try Disk.makeSpecial(place.path / "pipe", type: UInt32(S_IFIFO))
        var shell = Program("/bin/sh")
        shell.directory = place.path
        return (place.path / "pipe", try shell.start([BytePath("-c"), BytePath("exec cat text > pipe")]))
    }

    @Test("a pipe is kept in a file without a name, and read as often as wanted")
    func pipes() throws {
        let place = try TemporaryDirectory()
        let text = Array(DumpText().text().utf8)
        let (path, writer) = try pipe(text, in: place)
        let file = try DumpFile.open(path, spoolDirectory: place.path)
        #expect(writer.wait(timeout: 10).exitCode == 0)
        #expect(file.kind == .plain && file.size == text.count && file.modifiedAt == nil)
        #expect(try Set(Disk.names(in: place.path)) == [BytePath("pipe"), BytePath("text")])
        for _ in 0..<2 {
            let sink = ElementRecorder()
            try PlainDumpReader.read(file, into: sink)
            #expect(sink.elements == DumpReading.elements(text).elements)
        }
    }

    @Test("no directory, or no room, to keep a stream in is an error of its own")
    func noDirectory() throws {
        let error = #expect(throws: SyncError.self) {
            _ = try DumpFile.open(BytePath("/dev/null"), spoolDirectory: BytePath("/nowhere/at/all"))
        }
        #expect(error?.what == "cannot keep the dump in /nowhere/at/all while it is read" && error?.code == .unusable)
    }

    @Test("a full disk ends the keeping of a stream", .enabled(if: Requirement.canMount, "needs root and loop devices"))
    func noSpace() throws {
        let disk = try LoopFileSystem(megabytes: 16)
        let place = try TemporaryDirectory()
        let text = Array(DumpText().text().utf8) + [UInt8](repeating: 0x0A, count: 40 << 20)
        let (path, writer) = try pipe(text, in: place)
        let error = #expect(throws: SyncError.self) { _ = try DumpFile.open(path, spoolDirectory: disk.path) }
        #expect(error?.code == .exhausted && error?.hint?.contains("free space") == true)
        #expect(writer.wait(timeout: 10).exitCode != 0)
        #expect(try Disk.names(in: disk.path).filter { $0 != BytePath("lost+found") } == [])
    }

    @Test(
        "compressed dumps are read like plain ones; archives in a compressed stream are refused with the remedy",
        .enabled(if: Disk.exists(BytePath("/usr/bin/zstd")), "needs gzip, zstd, xz, lz4 and bzip2"),
        arguments: [("gzip", Compression.gzip), ("zstd", .zstd), ("xz", .xz), ("lz4", .lz4), ("bzip2", .bzip2)]
    )
    func compressed(program: String, compression: Compression) throws {
        let place = try TemporaryDirectory()
        let text = DumpText(accountRows: (0..<50_000).map { "\($0)\talice\t\\N\n" }.joined()).text()
        try Disk.write(place.path / "text", text)
        let stream = try Program("/usr/bin/env").check([program, "-c"], place.path / "text").output
        let file = try DumpReading.open(stream, in: place)
        #expect(file.kind == .plain && file.compression == compression)
        let inspection = try DumpInspector.inspect(file)
        #expect(inspection.mastodonDatabase?.tables[TableName("accounts")]?.rows == 50_000)
        #expect(inspection.textBytes == text.utf8.count && inspection.fileBytes == stream.count)
        for length in [stream.count / 2, stream.count - 1] {
            let error = #expect(throws: SyncError.self) {
                _ = try DumpInspector.inspect(try DumpReading.open(Array(stream[..<length]), in: place, name: "cut"))
            }
            #expect(error?.code == .unusable)
        }
        try Disk.write(place.path / "text", "PGDMP and so on")
        let inner = try Program("/usr/bin/env").check([program, "-c"], place.path / "text").output
        let error = #expect(throws: SyncError.self) { _ = try DumpReading.open(inner, in: place) }
        #expect(error?.hint == "decompress it first")
    }
}
