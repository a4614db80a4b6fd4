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
