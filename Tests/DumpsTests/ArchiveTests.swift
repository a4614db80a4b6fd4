import MediaModel
import MediasyncTesting
import Pacing
import Testing

@testable import Dumps

/// Programs that stand in for `pg_restore`, so that every way of its failing is seen. Real archives are read by the tests
/// that have a server.
@Suite struct ArchiveTests {
    /// A shell script that lists and writes what a test wants.
    private func program(
        _ place: TemporaryDirectory,
        list: String,
        sql: String,
        script: String = ""
    ) throws -> RestoreProgram {
        try Disk.write(place.path / "list", list)
        try Disk.write(place.path / "sql", sql)
        let text = """
            #!/bin/sh
            here=\(String(decoding: place.path.bytes, as: UTF8.self))
            \(script)
            case $1 in
            --list) cat $here/list ;;
            *) for argument; do case $argument in --use-list=*) cat ${argument#*=} > $here/used ;; esac; done
               echo "$*" > $here/arguments; env > $here/environment; cat $here/sql ;;
            esac
            """
        try Disk.write(place.path / "pg_restore", text, mode: 0o755)
        return RestoreProgram(path: place.path / "pg_restore", major: 15)
    }

    private func archive(_ place: TemporaryDirectory) throws -> DumpFile {
        try DumpReading.open(Array("PGDMP\u{1}\u{E}".utf8), in: place)
    }

    private static let entries = """
        5; 1259 1 TABLE public accounts mastodon
        6; 0 0 ACL public TABLE accounts mastodon
        7; 0 1 TABLE DATA public accounts mastodon

        """

    @Test("an archive's text is read like a plain dump, of the entries that are used")
    func whole() throws {
        let place = try TemporaryDirectory()
        let program = try program(place, list: ArchiveTocTests.list + Self.entries, sql: DumpText().text())
        let inspection = try DumpInspector.inspect(try archive(place), program: program)
        let database = try #require(inspection.mastodonDatabase)
        #expect(inspection.kind == .custom && database.name == "mastodon_production" && database.rows == 8)
        #expect(database.vetting.leftOut[.privilege] == 2)
        #expect(inspection.startedOn == "2026-11-24 07:28:03 UTC" && inspection.madeAtSource == .header)
        #expect(try Disk.text(place.path / "used") == "5;\n7;\n")
        let arguments = try Disk.text(place.path / "arguments")
        for option in ArchivePass.options { #expect(arguments.contains(option)) }
        let environment = try Disk.text(place.path / "environment").split(separator: "\n")
        #expect(
            environment.allSatisfy { line in
                ["PATH=", "LC_ALL=", "TZ=", "PWD=", "SHLVL=", "_=", "OLDPWD="].contains { line.hasPrefix($0) }
            }
        )
    }

    @Test("what is hostile in an archive is refused, by the list and by the statements")
    func hostile() throws {
        let place = try TemporaryDirectory()
        var dump = DumpText()
        dump.extra = "ALTER SYSTEM SET archive_command = 'id';\n"
        let list = ArchiveTocTests.list + Self.entries + "9; 1417 1 SERVER - elsewhere postgres\n"
        let program = try program(place, list: list, sql: dump.text())
        let inspection = try DumpInspector.inspect(try archive(place), program: program)
        #expect(inspection.databases.first?.vetting.refused == [.server: 1, .outside: 1])
        #expect(inspection.databases.first?.vetting.refusals.map(\.entry) == [nil, 9])
    }

    @Test("a program that fails, early or late, is told with its own words; an old one with the remedy")
    func failures() throws {
        let place = try TemporaryDirectory()
        let file = try archive(place)
        let list = ArchiveTocTests.list + Self.entries
        let early = try program(
            place,
            list: list,
            sql: "",
            script: "echo 'unsupported version (1.16) in file \u{1B}header' >&2; exit 1"
        )
        let error = #expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file, program: early) }
        #expect(error?.code == .unusable && error?.hint?.contains("postgresql-client") == true)
        #expect(error?.why == "unsupported version (1.16) in file \\x1bheader")
        let late = try program(place, list: list, sql: DumpText().text())
        try Disk.write(
            late.path,
            try Disk.text(late.path)
                + "\ncase $1 in --list) ;; *) echo 'could not read: end of file' >&2; exit 1 ;; esac\n",
            mode: 0o755
        )
        let lateError = #expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file, program: late) }
        #expect(lateError?.why == "could not read: end of file")
        let cut = try program(place, list: list, sql: DumpText(hasTrailer: false).text())
        #expect(
            #expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file, program: cut) }?.code == .unusable
        )
        let killed = try program(place, list: list, sql: "", script: "kill -9 $$")
        #expect(
            #expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file, program: killed) }?.code == .unusable
        )
        let absent = RestoreProgram(path: place.path / "absent", major: 15)
        #expect(
            #expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file, program: absent) }?.code
                == .configuration
        )
        #expect(#expect(throws: SyncError.self) { _ = try DumpInspector.inspect(file) }?.code == .configuration)
    }

    @Test("a program that talks without end is neither waited for nor kept")
    func chatty() throws {
        let place = try TemporaryDirectory()
        let program = try program(
            place,
            list: ArchiveTocTests.list + Self.entries,
            sql: DumpText().text(),
            script:
                "i=0; while [ $i -lt 3000 ]; do echo 'a long line that says nothing at all, again and again' >&2; i=$((i+1)); done"
        )
        let inspection = try DumpInspector.inspect(try archive(place), program: program)
        #expect(inspection.mastodonDatabase?.rows == 8)
    }

    @Test("a program that hangs is ended with all that it started when the task is cancelled")
    func cancelled() async throws {
        let place = try TemporaryDirectory()
        let program = try program(
            place,
            list: ArchiveTocTests.list + Self.entries,
            sql: "",
            script: "if [ $1 != --list ]; then mkfifo $here/wait; echo $$ > $here/process; cat $here/wait; fi"
        )
        let file = try archive(place)
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let task = Task(executorPreference: pool) { try DumpInspector.inspect(file, program: program) }
        let started = place.path / "process"
        while (try? Disk.text(started))?.hasSuffix("\n") != true { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: SyncError.self) { _ = try await task.value }
        #expect(error?.code == .interrupted)
        let process = try Disk.text(started).split(separator: "\n").joined()
        #expect(!Disk.exists(BytePath("/proc/\(process)/stat")))
    }

    @Test("the newest pg_restore of Debian's is found, else the one in PATH, else it is said what to install")
    func finding() throws {
        let place = try TemporaryDirectory()
        for major in ["9.6", "12", "17", "x"] {
            for part in [major, "\(major)/bin"] { try Disk.makeDirectory(place.path / part) }
        }
        func find(_ search: String?) throws -> RestoreProgram {
            try RestoreProgram.find(below: place.path, searchPath: search)
        }
        let path = String(decoding: place.path.bytes, as: UTF8.self)
        let error = #expect(throws: SyncError.self) { _ = try find("relative:/nowhere") }
        #expect(error?.code == .configuration && error?.hint?.contains("postgresql-client") == true)
        try Disk.write(place.path / "pg_restore", "#!/bin/sh\necho 'pg_restore (PostgreSQL) 16.2'\n", mode: 0o755)
        #expect(try find("/nowhere:\(path)").major == 16)
        try Disk.write(place.path / "12/bin/pg_restore", "", mode: 0o755)
        #expect(try find(path).major == 12)
        try Disk.write(place.path / "17/bin/pg_restore", "", mode: 0o644)
        #expect(try find(path).major == 12)
        try Disk.setMode(place.path / "17/bin/pg_restore", 0o755)
        #expect(try find(nil).path == place.path / "17/bin/pg_restore")
    }

    @Test(
        "versions of programs",
        arguments: [
            ("pg_restore (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15), ("pg_restore (PostgreSQL) 18beta1\n", 18),
            ("psql (PostgreSQL) 15.18\n", nil), ("", nil), ("pg_restore (PostgreSQL) x\n", nil),
        ] as [(String, Int?)]
    )
    func versions(text: String, major: Int?) {
        #expect(RestoreProgram.major(ofVersion: text) == major)
    }
}
