import MediaModel
import MediasyncTesting
import Pacing
import Running
import Storage
import Testing

@testable import Backups

/// The media archive: made by several threads, read back while it is made.
@Suite struct MediaExportTests {
    let place: TemporaryDirectory
    var media: BytePath { place.path / "media" }
    var avatars: BytePath { media / "accounts" / "avatars" }

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(media)
        try Disk.makeDirectory(media / "accounts")
        try Disk.makeDirectory(avatars)
        try Disk.makeDirectory(place.path / "export")
    }

    private func export(_ jobs: Int, _ compression: ExportOptions.MediaCompression = .zstd) async throws -> Counts {
        var options = ExportOptions(directory: place.path, name: BytePath("x"))
        options.compression = compression
        options.jobs = jobs
        let directory = try BackupDirectory.open(place.path / "export")
        defer { directory.close() }
        let ledger = BackupLedger(sink: { _ in }, reportsEveryItem: false)
        let export = MediaExport(
            media: media,
            export: directory,
            options: options,
            processors: 2,
            control: RunControl(),
            ledger: ledger
        )
        _ = try await export.run()
        return ledger.counts
    }

    private func expectAll(_ archive: String, _ option: String) throws {
        let target = place.path / "extracted"
        try Disk.makeDirectory(target)
        try Program("tar").check(
            ["--strip-components=1", option, "-xf"],
            place.path / "export" / archive,
            BytePath("-C"),
            target
        )
        let (made, found) = (try TreeSnapshot(of: media), try TreeSnapshot(of: target))
        let differences = found.differences(from: made, in: [])
        #expect(differences.isEmpty, "\(differences.prefix(5))")
        // The manifest has the archive's order: both are compared line by line.
        let directory = try BackupDirectory.open(place.path / "export")
        defer { directory.close() }
        let ledger = BackupLedger(sink: { _ in }, reportsEveryItem: false)
        let check = MediaArchiveCheck(
            directory: directory,
            name: BytePath(archive),
            control: RunControl(),
            ledger: ledger,
            toleratesChanged: false
        )
        try check.run()
        #expect(ledger.counts.different + ledger.counts.failed == 0 && ledger.counts.seen > 0)
    }

    @Test(
        "a wide directory, a deep one, large and small files are whole, whoever takes which",
        arguments: [1, 2, 7],
        [ExportOptions.MediaCompression.zstd, .gzip]
    )
    func shapes(jobs: Int, compression: ExportOptions.MediaCompression) async throws {
        var random = SeededGenerator(seed: UInt64(jobs) &* 31)
        try Disk.makeDirectory(avatars / "wide")
        for index in 0..<1500 {
            let size = Int.random(in: 0...3000, using: &random)
            try Disk.write(avatars / "wide" / "f\(index)", random.bytes(size))
        }
        // Deeper than directories are held open.
        var folder = avatars
        for level in 0..<50 {
            folder = folder / "d\(level)"
            try Disk.makeDirectory(folder)
            try Disk.write(folder / "file", "\(level)")
            try Disk.makeDirectory(folder / "side")
            try Disk.write(folder / "side" / "file", "beside \(level)")
        }
        for size in [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20, (9 << 20) + 77] {
            try Disk.write(avatars / "large\(size)", random.bytes(size))
        }
        let counts = try await export(jobs, compression)
        #expect(counts.copied == 1500 + 100 + 5 && counts.failed == 0 && counts.balances)
        let isGzip = compression == .gzip
        try expectAll(isGzip ? "media.tar.gz" : "media.tar.zst", isGzip ? "--gzip" : "--zstd")
    }

    @Test("blocks are written in the order of their numbers, and a failure lets nobody wait")
    func order() async throws {
        let directory = try BackupDirectory.open(place.path / "export")
        defer { directory.close() }
        let archive = try directory.makeFile(BytePath("archive"))
        let manifest = try directory.makeFile(BytePath("manifest"))
        let growth = ArchiveGrowth()
        let output = ArchiveOutput(
            archive: archive.raw,
            manifest: manifest.raw,
            name: BytePath("archive"),
            waitingMax: 2,
            growth: growth
        )
        #expect(output.reserve(3) == 0 && output.reserve(1) == 3)
        for (number, text) in [(2, "c"), (1, "b"), (0, "a")] {
            output.put(number, ArchiveBlock(bytes: Array(text.utf8), lines: Array("\(number)\n".utf8)))
        }
        #expect(try Disk.text(place.path / "export" / "archive") == "abc")
        #expect(try Disk.text(place.path / "export" / "manifest") == "0\n1\n2\n")
        #expect(growth.length(of: .archive, beyond: 2) == 3 && growth.length(of: .manifest, beyond: 0) == 6)
        // Number 3 never comes.
        output.fail(SyncError(.unexpected, "stopped"))
        for number in 4..<20 { output.put(number, ArchiveBlock(bytes: [1])) }
        #expect(growth.length(of: .archive, beyond: 3) == 3)
        #expect(try Disk.text(place.path / "export" / "archive") == "abc")
    }

    @Test(
        "who reads behind the writer waits for what is not there yet, and sees what is wrong",
        arguments: [false, true]
    )
    func behind(isDamaged: Bool) async throws {
        try Disk.write(avatars / "one", [UInt8](repeating: 7, count: 300_000))
        try Disk.write(avatars / "two", "x")
        _ = try await export(2)
        let made = place.path / "export"
        var archive = try Disk.read(made / "media.tar.zst")
        var lines = try Disk.read(made / "media.manifest")
        if isDamaged { lines[0] = lines[0] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0") }
        let copy = place.path / "copy"
        try Disk.makeDirectory(copy)
        try Disk.write(copy / "media.tar.zst", archive)
        try Disk.write(copy / "media.manifest", lines)
        archive = []
        let growth = ArchiveGrowth()
        let ledger = BackupLedger(sink: { _ in }, reportsEveryItem: false)
        let pool = WorkerPool(threads: 1)
        let sizes = (try Disk.read(copy / "media.tar.zst").count, lines.count)
        let check = Task(executorPreference: pool) { [copy] in
            let directory = try BackupDirectory.open(copy)
            defer { directory.close() }
            try MediaArchiveCheck(
                directory: directory,
                name: BytePath("media.tar.zst"),
                control: RunControl(),
                ledger: ledger,
                toleratesChanged: true,
                growth: growth
            ).run()
        }
        // Byte by byte, the manifest behind the archive.
        for _ in 0..<sizes.0 { growth.add(archive: 1, manifest: 0) }
        for _ in 0..<sizes.1 { growth.add(archive: 0, manifest: 1) }
        growth.finish()
        try await check.value
        pool.shutDown()
        #expect(ledger.counts.seen == 2)
        #expect(ledger.counts.different == (isDamaged ? 1 : 0))
    }
}
