import Dumps
import MediaModel
import MediasyncTesting
import Pacing
import Postgres
import Running
import Testing

@testable import Restoring

/// How far the loading of an archive is, by what pg_restore says; and a loading that stands still in the middle.
@Suite struct ArchiveWorkTests {
    private static let list = """
        ;     dbname: mastodon
        5; 1259 1 TABLE public accounts mastodon
        6; 1259 2 TABLE public statuses mastodon
        7; 0 1 TABLE DATA public accounts mastodon
        8; 0 2 TABLE DATA public statuses mastodon
        9; 2606 3 CONSTRAINT public accounts accounts_pkey mastodon
        10; 1259 4 INDEX public index_statuses_on_account mastodon
        11; 2606 5 FK CONSTRAINT public statuses fk_1 mastodon
        12; 0 0 ACL public TABLE accounts mastodon

        """

    /// A program that stands in for pg_restore, an archive for it, and what an inspection would say.
    private struct Stand {
        let place: TemporaryDirectory
        let program: RestoreProgram
        let file: DumpFile
        var inspection = DatabaseInspection(name: "mastodon", line: 1)

        init(script: String) throws {
            place = try TemporaryDirectory()
            try Disk.write(place.path / "list", ArchiveWorkTests.list)
            let text = """
                #!/bin/sh
                here=\(place.path)
                case $1 in --list) cat $here/list; exit ;; esac
                \(script)
                """
            try Disk.write(place.path / "pg_restore", text, mode: 0o755)
            program = RestoreProgram(path: place.path / "pg_restore", major: 15)
            try Disk.write(
                place.path / "dump",
                Array("PGDMP\u{1}\u{E}".utf8) + [UInt8](repeating: 0, count: 100_000_000)
            )
            file = try DumpFile.open(place.path / "dump", spoolDirectory: place.path)
            inspection.tables[TableName("accounts")] = TableContent(rows: 10, bytes: 1_000)
            inspection.tables[TableName("statuses")] = TableContent(rows: 100, bytes: 100_000)
            inspection.indexTables[TableName("index_statuses_on_account")] = TableName("statuses")
        }

        func loader(_ progress: LoadProgress) -> ArchiveLoader {
            ArchiveLoader(
                file: file,
                program: program,
                inspection: inspection,
                session: StageSession(
                    settings: ConnectionSettings(),
                    role: nil,
                    memoryMebibytes: 64,
                    cancellers: CancellerList()
                ),
                jobs: 2,
                progress: progress,
                control: RunControl(),
                directory: place.path,
                environment: [:],
                stage: { _ in }
            )
        }
    }

    private func work() throws -> ArchiveWork {
        let stand = try Stand(script: "exit 1")
        return ArchiveWork(try ArchiveToc.read(stand.file, program: stand.program), stand.inspection)
    }

    @Test("entries that are used are counted, and weigh what their tables weigh")
    func parallel() throws {
        var work = try work()
        #expect(work.steps.total == 7 && work.steps.done == 0 && work.steps.share == 0)
        for event: RestoreLog.Event in [
            .processing(3), .processing(5), .working("TABLE public.accounts"), .processing(6),
        ] {
            work.take(event)
        }
        #expect(work.steps.done == 1 && work.steps.current == "TABLE public.statuses")
        work.take(.loopBegins)
        #expect(work.steps.done == 2 && work.steps.current == nil)
        work.take(.launched(7))
        work.take(.launched(8))
        work.take(.working("TABLE DATA public.accounts"))
        #expect(work.steps.done == 2 && work.steps.current == "TABLE DATA public.statuses")
        let before = try #require(work.steps.share)
        work.take(.finished(8))
        let after = try #require(work.steps.share)
        #expect(after - before > 0.5 && work.steps.current == "TABLE DATA public.accounts")
        work.take(.finished(7))
        work.take(.launched(10))
        work.take(.finished(10))
        #expect(work.indexesDone == 1 && work.steps.done == 5)
        work.end()
        #expect(work.steps.done == 7 && work.steps.share == 1 && work.indexesDone == 2 && work.steps.current == nil)
    }

    @Test("without workers each entry ends when the next one begins, in whatever order")
    func serial() throws {
        var work = try work()
        for name in ["TABLE public.accounts", "TABLE public.statuses", "TABLE DATA public.accounts"] {
            work.take(.working(name))
        }
        #expect(work.steps.done == 2 && work.steps.current == "TABLE DATA public.accounts")
        work.take(.working("INDEX public.index_statuses_on_account"))
        #expect(work.steps.done == 3 && work.steps.current == "INDEX public.index_statuses_on_account")
    }

    @Test("what of the file was read counts before a table is finished, and never goes back")
    func reading() throws {
        var work = try work()
        work.read(0.5)
        let half = try #require(work.steps.share)
        #expect(half > 0.2 && half < 0.5)
        work.read(0.3)
        #expect(work.steps.share == half)
        work.read(7)
        let all = try #require(work.steps.share)
        work.take(.finished(7))
        work.take(.finished(8))
        #expect(work.steps.share == all)
    }

    @Test("entries that are not there, twice or forged change nothing")
    func forged() throws {
        var work = try work()
        for _ in 0..<3 {
            for event: RestoreLog.Event in [
                .launched(99), .finished(99), .finished(12), .finished(8), .launched(8), .processing(1_000_000),
                .working("TABLE DATA public.nothing"), .loopEnds, .loopBegins,
            ] { work.take(event) }
        }
        #expect(work.steps.done == 1 && work.steps.total == 7 && (work.steps.share ?? 2) <= 1)
    }

    @Test("while an archive is loaded its entries are counted and the one in hand is named; the failure has its place")
    func load() async throws {
        let stand = try Stand(
            script: """
                echo 'pg_restore: processing item 5 TABLE accounts' >&2
                echo 'pg_restore: processing item 6 TABLE statuses' >&2
                echo 'pg_restore: entering main parallel loop' >&2
                echo 'pg_restore: launching item 8 TABLE DATA statuses' >&2
                read go < $here/wait
                echo 'pg_restore: from TOC entry 8; 0 2 TABLE DATA statuses mastodon' >&2
                echo 'pg_restore: error: COPY failed for table "statuses": ERROR:  bad' >&2
                echo "$*" > $here/arguments
                env > $here/environment
                exit 1
                """
        )
        try Program("mkfifo").check([], stand.place.path / "wait")
        let progress = LoadProgress()
        let loader = stand.loader(progress)
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let task = Task(executorPreference: pool) { try await loader.load() }
        while progress.steps.current != "TABLE DATA public.statuses" { await Task.yield() }
        #expect(progress.steps.done == 2 && progress.steps.total == 7)
        try Program("/bin/sh").check(["-c", "echo go > \"$1\"", "sh"], stand.place.path / "wait")
        let error = await #expect(throws: SyncError.self) { try await task.value }
        #expect(error?.what == "cannot load the archive's entry 8; 0 2 TABLE DATA statuses mastodon")
        #expect(error?.why == "COPY failed for table \"statuses\": ERROR:  bad")
        let arguments = try Disk.text(stand.place.path / "arguments")
        for option in ["--verbose", "--exit-on-error", "--no-owner", "--no-privileges", "--jobs 2", "--use-list"] {
            #expect(arguments.contains(option), "\(arguments)")
        }
        #expect(try Disk.text(stand.place.path / "environment").contains("PGOPTIONS=-c synchronous_commit=off"))
    }

    @Test("a stop ends the program, and is told as the reason")
    func stop() async throws {
        let stand = try Stand(script: "echo 'pg_restore: launching item 8 TABLE DATA statuses' >&2; exec sleep 1000")
        let progress = LoadProgress()
        let loader = stand.loader(progress)
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let task = Task(executorPreference: pool) { try await loader.load() }
        while progress.steps.current == nil { await Task.yield() }
        loader.control.stop(SyncError(.interrupted, "stopped"))
        let error = await #expect(throws: SyncError.self) { try await task.value }
        #expect(error?.why == "pg_restore was ended by a signal")
    }
}
