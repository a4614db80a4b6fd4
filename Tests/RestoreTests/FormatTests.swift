import MediaModel
import MediasyncTesting
import Testing

/// R1: every kind of dump, told by its content and not by its name, gives the same database.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct FormatTests {
    struct Form: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String]
        var compressor: [String] = []
        var testDescription: String { name }
    }

    static let allForms = [
        Form(name: "plain", options: []),
        Form(name: "create", options: ["-C"]),
        Form(name: "inserts", options: ["--inserts", "--rows-per-insert=100"]),
        Form(name: "bare", options: ["--no-owner", "--no-privileges", "--clean", "--if-exists"]),
        Form(name: "gzip", options: [], compressor: ["gzip"]),
        Form(name: "zstd", options: [], compressor: ["zstd", "-q", "--rm"]),
        Form(name: "xz", options: [], compressor: ["xz", "-1"]),
        Form(name: "bzip2", options: [], compressor: ["bzip2"]),
        Form(name: "lz4", options: [], compressor: ["lz4", "-q", "--rm", "-m"]),
        Form(name: "custom", options: ["-Fc"]),
        Form(name: "tar", options: ["-Ft"]),
        Form(name: "directory", options: ["-Fd"]),
    ]

    @Test("a dump of any form restores to the same database, whatever it is called", arguments: allForms)
    func form(form: Form) throws {
        if let tool = form.compressor.first, !Requirement.has(tool) { return }
        let origin = try Origin.get()
        let live = try origin.makeLive("form_\(form.name)")
        let place = try TemporaryDirectory()
        var dump = place.path / "notes.txt"
        try origin.database.writeDump(form.options, to: dump)
        if let tool = form.compressor.first {
            try Program(tool).check(Array(form.compressor.dropFirst()), dump)
            let made = try Disk.names(in: place.path).first { $0 != BytePath("notes.txt") } ?? BytePath("?")
            let plainName = place.path / "photo.jpeg"
            try Disk.rename(place.path / made, to: plainName)
            dump = plainName
        }
        let result = try live.restore(dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.canonicalDump() == origin.canonical)
        #expect(try live.relatives().count == 2)
    }

    @Test("standard input is kept and read like a file")
    func standardInput() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("form_stdin")
        let script = "gzip -c \"$1\" | \"$2\" restore --yes --into form_stdin --env-file /dev/null -"
        let shell = live.program().path
        var program = Program("/bin/sh")
        program.environment = live.program().environment
        let result = try program.run(["-c", script, "sh"].map { BytePath($0) } + [origin.plain, BytePath(shell)])
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.canonicalDump() == origin.canonical)
    }

    @Test("of a whole server's dump only Mastodon's database is taken, and no role is made")
    func cluster() throws {
        let origin = try Origin.get()
        let source = try PostgresCluster()
        let database = try MastodonDatabase(source, name: "mastodon")
        try database.fill()
        try source.sql("CREATE ROLE stranger SUPERUSER")
        try source.sql("CREATE DATABASE other")
        try source.sql("CREATE TABLE t AS SELECT 1 AS a", database: "other")
        let place = try TemporaryDirectory()
        let dump = place.path / "database.sql"
        try source.program("pg_dumpall").check(["-f"], dump)
        let live = try origin.makeLive("form_cluster")
        let result = try live.restore(dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try live.canonicalDump() == database.canonicalDump())
        #expect(try origin.cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'stranger'") == "0")
        #expect(try !origin.cluster.databases().contains("other"))
    }

    @Test(
        "the end tells what each table got, for people and for programs, and is silent with -q",
        arguments: [true, false]
    )
    func summary(isArchive: Bool) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("form_summary_\(isArchive)")
        let place = try TemporaryDirectory()
        let dump = isArchive ? place.path / "archive" : origin.plain
        if isArchive { try origin.database.writeDump(["-Fc"], to: dump) }
        let text = try live.restore(dump)
        #expect(text.text.contains("\n  statuses  600 rows"), "\(text.text) \(text.errorText)")
        let json = try live.restore(["--json"], dump)
        let line = json.lines.first { $0.hasPrefix("{\"type\":\"restored\"") } ?? ""
        #expect(line.contains("{\"schema\":\"public\",\"name\":\"statuses\",\"rows\":600,"), "\(json.text)")
        #expect(try !live.restore(["-q"], dump).text.contains("600 rows"))
    }

    @Test("the summary and the metrics have rows, indexes and the seconds of each stage", arguments: [true, false])
    func figures(isArchive: Bool) throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("form_figures_\(isArchive)")
        let place = try TemporaryDirectory()
        let dump = isArchive ? place.path / "archive" : origin.plain
        if isArchive { try origin.database.writeDump(["-Fc"], to: dump) }
        let metrics = place.path / "restore.prom"
        let result = try live.restore(["--json", "--metrics-file", metrics.description], dump)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let rows = try origin.cluster.sql(
            "SELECT sum((xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM ' || oid::regclass, true, true, '')))[1]"
                + "::text::bigint) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
            database: live.name
        )
        let indexes = try origin.cluster.sql(
            "SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace",
            database: live.name
        )
        let summary = result.lines.last ?? ""
        #expect(summary.contains("\"rows\":\(rows),") && summary.contains("\"indexes\":\(indexes),"), "\(summary)")
        let stages =
            isArchive
            ? ["inspect", "load", "check", "verify", "swap"]
            : ["inspect", "load", "index", "constraints", "check", "verify", "swap"]
        let text = try Disk.text(metrics)
        #expect(text.contains("\nmediasync_restore_rows{command=\"restore\"} \(rows)\n"), "\(text)")
        #expect(text.contains("\nmediasync_restore_indexes{command=\"restore\"} \(indexes)\n"), "\(text)")
        for stage in stages {
            #expect(summary.contains("{\"stage\":\"\(stage)\",\"elapsed_s\":"), "\(summary)")
            #expect(text.contains("\nmediasync_stage_seconds{command=\"restore\",stage=\"\(stage)\"} "), "\(text)")
        }
    }

    @Test("a restore that fails has its figures as well")
    func figuresOfFailure() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("form_figures_failed")
        let place = try TemporaryDirectory()
        try Disk.write(
            place.path / "dump",
            try origin.plainText().replacing("\\.\n", with: "x\n\\.\n", maxReplacements: 1)
        )
        let metrics = place.path / "restore.prom"
        let result = try live.restore(["--metrics-file", metrics.description], place.path / "dump")
        #expect(result.exitCode == 12, "\(result.errorText)")
        let text = try Disk.text(metrics)
        #expect(
            text.contains("mediasync_exit_status{command=\"restore\"} 12") && text.contains("mediasync_restore_rows{")
        )
        #expect(text.contains("stage=\"load\""))
        try live.expectUntouched()
    }

    @Test("-n tells what is in a dump, for people and for programs, and touches nothing")
    func inspection() throws {
        let origin = try Origin.get()
        let live = try origin.makeLive("form_inspect")
        let text = try live.restore(["-n"], origin.plain)
        #expect(text.exitCode == 0, "\(text.errorText)")
        for word in ["Mastodon 4.5", "statuses", "600 rows", "owners", "plain text of one database"] {
            #expect(text.text.contains(word), "\(word) is missing in\n\(text.text)")
        }
        let json = try live.restore(["-n", "--json"], origin.plain)
        let line = json.lines.first { $0.hasPrefix("{\"type\":\"inspection\"") } ?? ""
        #expect(line.contains("\"release\":\"4.5\""), "\(json.text)")
        #expect(line.contains("{\"schema\":\"public\",\"name\":\"statuses\",\"rows\":600,"))
        try live.expectUntouched()
    }
}
