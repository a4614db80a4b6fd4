import Archives
import MediaModel
import MediasyncTesting
import Pacing
import Testing

@testable import Dumps

/// Whole dumps, in the manner of each pg_dump, from a file to a sink.
@Suite struct PlainDumpTests {
    static let styles: [DumpText] = [
        DumpText(version: 12, isRestricted: false),
        DumpText(version: 13, isRestricted: false, usesInserts: true),
        DumpText(version: 14, hasOwners: false),
        DumpText(version: 15, createsDatabase: "mastodon_production"),
        DumpText(version: 15, isClean: true, isVerbose: true),
        DumpText(version: 17, createsDatabase: "mastodon", hasOwners: false, isClean: true),
        DumpText(version: 18, usesInserts: true, isVerbose: true),
    ]

    @Test("every style is read to its end, in order, with rows, roles and lines", arguments: styles)
    func everyStyle(style: DumpText) throws {
        let place = try TemporaryDirectory()
        let text = style.text()
        let file = try DumpReading.open(Array(text.utf8), in: place)
        #expect(file.kind == .plain && file.compression == .none && file.size == text.utf8.count)
        let sink = ElementRecorder()
        try PlainDumpReader.read(file, into: sink)
        let roles = sink.statements.map(\.role)
        #expect(roles.contains(.primaryKey(TableName("accounts"))))
        #expect(roles.contains(.index(TableName("statuses"))))
        #expect(roles.contains(.foreignKey(TableName("statuses"), references: TableName("accounts"))))
        #expect(
            roles.contains(.sequenceValue) && roles.contains(.refresh) && roles.contains(.leftOut(.serverExtension))
        )
        #expect(roles.contains(.leftOut(.owner)) == style.hasOwners)
        #expect(roles.contains(.leftOut(.privilege)) == style.hasOwners)
        #expect(roles.contains(.leftOut(.drop)) == style.isClean)
        #expect(roles.contains(.leftOut(.database)) == (style.createsDatabase != nil))
        if style.usesInserts {
            #expect(sink.headers.isEmpty)
            #expect(sink.statements.filter { $0.role == .insert(TableName("statuses")) }.map(\.rows) == [1, 1, 1])
        } else {
            #expect(
                sink.headers.map(\.table.name) == ["accounts", "media_attachments", "schema_migrations", "statuses"]
            )
            #expect(sink.headers.first?.columns == ["id", "username", "domain"])
            #expect(sink.headers.first?.sql == "COPY \"public\".\"accounts\" (id, username, domain) FROM STDIN")
            #expect(sink.elements.contains { $0.contains("rows 3 from") && $0.contains("echo 'no command'") })
        }
        // Each statement's line is where its first word stands.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for statement in sink.statements {
            let first = statement.sql.prefix { $0 != 0x0A }
            #expect(lines[statement.line - 1].utf8.starts(with: first), "line \(statement.line)")
            #expect(statement.sql.last != UInt8(ascii: ";"))
        }
    }

    @Test("line ends of Windows and a byte order mark change nothing but the rows' own line ends")
    func carriageReturns() throws {
        let unix = DumpText().text()
        let windows = Array("\u{FEFF}".utf8) + Array(unix.replacing("\n", with: "\r\n").utf8)
        let plain = DumpReading.elements(Array(unix.utf8))
        let other = DumpReading.elements(windows)
        #expect(plain.error == nil && other.error == nil)
        #expect(other.elements.map { $0.replacing("\r\n", with: "\n") } == plain.elements)
    }

    /// The scanner's own tests cut at every byte; here every third is enough for a test that is not optimised.
    @Test("a dump handed over in pieces has the same elements", arguments: [styles[3], styles[6]])
    func pieces(style: DumpText) {
        let text = Array(style.text().utf8)
        let whole = DumpReading.elements(text)
        #expect(whole.error == nil)
        for cut in stride(from: 1, to: text.count, by: 3) {
            let other = DumpReading.elements(text, cuts: [cut])
            #expect(other.elements == whole.elements && other.error == nil, "cut at \(cut)")
        }
        for step in [1, 2, 3, 7, 64, 1000] {
            let other = DumpReading.elements(text, cuts: Array(stride(from: step, to: text.count, by: step)))
            #expect(other.elements == whole.elements && other.error == nil, "steps of \(step)")
        }
    }

    @Test("a dump handed over in random pieces is the same, broken or not", arguments: 0..<8 as Range<UInt64>)
    func randomPieces(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let style = Self.styles[Int(seed) % Self.styles.count]
        for round in 0..<40 {
            var text = Array(style.text().utf8)
            // Half of them damaged: a byte changed, taken out or doubled.
            let place = Int.random(in: 0..<text.count, using: &random)
            switch round % 6 {
            case 1: text[place] = UInt8.random(in: 0...255, using: &random)
            case 3: text.remove(at: place)
            case 5: text.insert(text[place], at: place)
            default: break
            }
            let cuts = (0..<20).map { _ in Int.random(in: 0..<text.count, using: &random) }.sorted()
            let whole = DumpReading.elements(text)
            let other = DumpReading.elements(text, cuts: cuts)
            #expect(whole.elements == other.elements && whole.error == other.error, "seed \(seed), round \(round)")
        }
    }

    @Test("a dump that is cut anywhere is refused as broken, wherever the cut is")
    func cutAnywhere() throws {
        let text = Array(DumpText(isVerbose: true).text().utf8)
        let trailer = Array("-- PostgreSQL database dump complete".utf8)
        let end = try #require(text.indices.first { text[$0...].starts(with: trailer) }) + trailer.count
        for length in 0..<text.count {
            let result = DumpReading.elements(Array(text[..<length]))
            if length < end {
                #expect(result.error?.code == .unusable, "cut at \(length)")
            } else {
                // Behind the trailer there is nothing to lose.
                #expect(result.error == nil, "cut at \(length)")
            }
        }
    }

    @Test("a zero byte anywhere is found: part of the file was never written")
    func zeroBytes() throws {
        let text = Array(DumpText().text().utf8)
        for place in stride(from: 0, to: text.count, by: 7) {
            var holed = text
            holed[place] = 0
            let error = DumpReading.elements(holed).error
            let line = text[..<place].count { $0 == 0x0A } + 1
            #expect(error?.code == .unusable && error?.what == "the dump is broken at line \(line)", "at \(place)")
        }
    }

    @Test("only the database asked for is handed over from a cluster")
    func cluster() throws {
        let place = try TemporaryDirectory()
        let mastodon = DumpText()
        var other = DumpText(accountRows: "7\tcarol\t\\N\n")
        other.extra = "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;\n"
        let text = DumpText.cluster([("other", other), ("mastodon", mastodon)])
        let file = try DumpReading.open(Array(text.utf8), in: place)
        #expect(file.kind == .cluster)
        let sink = ElementRecorder()
        try PlainDumpReader.read(file, database: "mastodon", into: sink)
        var alone = DumpText()
        alone.createsDatabase = "mastodon"
        let expected = DumpReading.elements(Array(alone.text().utf8))
        func bare(_ elements: [String]) -> [String] {
            elements.filter { !$0.contains("leftOut(Dumps.LeftOutReason.database)") }.map { element in
                let words = element.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                return words[0] == "rows" ? String(element.drop { $0 != ":" }) : String(words[1])
            }
        }
        let settings = 10
        #expect(bare(sink.elements) == Array(bare(expected.elements).dropFirst(settings)))
        #expect(throws: SyncError.self) { try PlainDumpReader.read(file, database: "other", into: ElementRecorder()) }
        let missing = #expect(throws: SyncError.self) {
            try PlainDumpReader.read(file, database: "mastodon2", into: ElementRecorder())
        }
        #expect(missing?.code == .unusable)
    }

    @Test("a cluster's dump without the end of one of its databases, or its own, is broken")
    func brokenCluster() {
        var cut = DumpText()
        cut.hasTrailer = false
        for text in [
            DumpText.cluster([("a", DumpText())], hasTrailer: false), DumpText.cluster([("a", cut)]),
            DumpText.cluster([("a", cut), ("b", DumpText())]),
        ] {
            let error = DumpReading.elements(Array(text.utf8), kind: .cluster, database: "a").error
            #expect(error?.code == .unusable || error?.code == .refused)
        }
    }

    @Test("what the sink throws ends the reading, at every element")
    func throwingSink() throws {
        let place = try TemporaryDirectory()
        let file = try DumpReading.open(Array(DumpText().text().utf8), in: place)
        let whole = ElementRecorder()
        try PlainDumpReader.read(file, into: whole)
        for number in whole.elements.indices {
            let sink = ElementRecorder()
            sink.failure = (number, SyncError(.limitReached, "enough"))
            let error = #expect(throws: SyncError.self) { try PlainDumpReader.read(file, into: sink) }
            #expect(error?.code == .limitReached && sink.elements.count == number)
        }
    }

    @Test("a cancelled task stops reading at the next piece")
    func cancelled() async throws {
        final class Cancelling: DumpElementSink {
            var rows = 0
            func statement(_ statement: DumpStatement) {}
            func copyBegins(_ header: CopyHeader) {}
            func copyEnds(rows: Int) {}
            func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) {
                self.rows += rows
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        let place = try TemporaryDirectory()
        let rows = String(repeating: "1\talice\t\\N\n", count: 1_000_000)
        let file = try DumpReading.open(Array(DumpText(accountRows: rows).text().utf8), in: place)
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let result = await Task(executorPreference: pool) { () -> (SyncError?, Int) in
            let sink = Cancelling()
            do throws(SyncError) {
                try PlainDumpReader.read(file, into: sink)
                return (nil, sink.rows)
            } catch { return (error, sink.rows) }
        }.value
        #expect(result.0?.code == .interrupted && result.1 > 0 && result.1 < 1_000_000)
    }

    @Test("a file that changes between the passes is noticed")
    func changedFile() throws {
        let place = try TemporaryDirectory()
        let file = try DumpReading.open(Array(DumpText().text().utf8), in: place)
        try PlainDumpReader.read(file, into: ElementRecorder())
        try Disk.write(place.path / "dump", DumpText(isVerbose: true).text())
        let error = #expect(throws: SyncError.self) { try PlainDumpReader.read(file, into: ElementRecorder()) }
        #expect(error?.code == .sourceChanged)
    }

    @Test("another file under the same name is not read: the dump is the one that was opened")
    func replacedName() throws {
        let place = try TemporaryDirectory()
        let file = try DumpReading.open(Array(DumpText().text().utf8), in: place)
        try Disk.write(place.path / "new", "nothing of the kind")
        try Disk.rename(place.path / "new", to: place.path / "dump")
        let sink = ElementRecorder()
        try PlainDumpReader.read(file, into: sink)
        #expect(sink.headers.count == 4)
    }
}
