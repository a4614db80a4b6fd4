import Foundation
import MediaModel
import MediasyncTesting
import Testing

/// Options that the environment and a file set beforehand, in the built binary.
@Suite struct PresetTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath
    let file: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        try Disk.write(source / "file", Array("content".utf8))
        file = place.path / "config.yaml"
    }

    private func configure(_ text: String) throws { try Disk.write(file, Array(text.utf8)) }

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Program.Result {
        var program = BinaryRunner.program()
        program.environment.merge(environment) { $1 }
        return try program.run(arguments)
    }

    private func copy(_ options: [String] = [], _ environment: [String: String] = [:]) throws -> Program.Result {
        try run(["copy", "--config", file.text] + options + [source.text, target.text], environment)
    }

    @Test("a file sets options, the environment wins over it, and the command line over both")
    func precedence() throws {
        let metrics = ["file", "environment", "typed"].map { place.path / $0 }
        try configure("report: { metrics_file: \(metrics[0]) }\n")
        #expect(try copy().exitCode == 0)
        #expect(Disk.exists(metrics[0]))
        #expect(try copy([], ["MEDIASYNC_METRICS_FILE": metrics[1].text]).exitCode == 0)
        #expect(Disk.exists(metrics[1]))
        let both = ["MEDIASYNC_METRICS_FILE": (place.path / "never").text]
        #expect(try copy(["--metrics-file", metrics[2].text], both).exitCode == 0)
        #expect(Disk.exists(metrics[2]) && !Disk.exists(place.path / "never"))
    }

    @Test("a value that the command does not take is told with its place, before anything is done")
    func wrongValues() throws {
        try configure("copy:\n  fsync: sometimes\n")
        let wrong = try copy()
        #expect(wrong.exitCode == 78)
        #expect(
            wrong.errorText.contains("--fsync=sometimes (copy.fsync in \(file), line 2) is not taken"),
            "\(wrong.errorText)"
        )
        #expect(!Disk.exists(target / "file"))
        // Typed, it is overruled.
        #expect(try copy(["--fsync", "none"]).exitCode == 0)
        let variable = try copy([], ["MEDIASYNC_FSYNC": "", "MEDIASYNC_JOBS": "0"])
        #expect(variable.exitCode == 78)
        #expect(variable.errorText.contains("--jobs=0 ($MEDIASYNC_JOBS) is not taken"), "\(variable.errorText)")
    }

    @Test("what is wrong on the command line itself stays a usage error")
    func usage() throws {
        try configure("copy: { jobs: 2 }\n")
        #expect(try copy(["--existing", "--ignore-existing"]).exitCode == 64)
    }

    @Test("an option that does not go with the command is told with who set it")
    func notForThis() throws {
        try configure("copy: { bwlimit: 1M }\n")
        let archive = place.path / "media.tar"
        try Program("tar").check(["-cf", archive.text, "-C", source.text, "."])
        let result = try run(["copy", "--config", file.text, archive.text, (place.path / "out").text])
        #expect(result.exitCode == 64)
        #expect(
            result.errorText.contains("these options were preset: --bwlimit=1M (copy.bwlimit in"),
            "\(result.errorText)"
        )
    }

    @Test("a file that is not there, not readable or not understood is error 78; help works all the same")
    func files() throws {
        let missing = try copy()
        #expect(missing.exitCode == 78 && missing.errorText.contains("cannot open"), "\(missing.errorText)")
        try configure("copy: { job: 2 }\n")
        let unknown = try copy()
        #expect(unknown.exitCode == 78 && unknown.errorText.contains("did you mean copy.jobs?"), "\(unknown.errorText)")
        #expect(try run(["copy", "--config", file.text, "--help"]).exitCode == 0)
        #expect(try run(["status", "--list"], ["MEDIASYNC_CONFIG": file.text]).exitCode == 78)
        #expect(try run(["status", "--list", "--config", "/dev/null"], ["MEDIASYNC_CONFIG": file.text]).exitCode == 0)
    }

    @Test("a variable that is nearly a setting is warned of")
    func mistyped() throws {
        try configure("")
        let result = try copy([], ["MEDIASYNC_JOB": "3"])
        #expect(result.exitCode == 0)
        #expect(
            result.errorText.contains("$MEDIASYNC_JOB is no setting") && result.errorText.contains("MEDIASYNC_JOBS")
        )
    }

    @Test("the state directory of the file is used, and doctor shows where each setting came from, without secrets")
    func shown() throws {
        let environment = place.path / "env"
        try Disk.write(environment, Array("DB_HOST=/nowhere\nDB_PASS=hush\n".utf8))
        let state = place.path / "records"
        try configure(
            """
            state: \(state)
            mastodon: { env_file: \(environment), media_root: \(source) }
            report: { ping: "https://hc.example/hush-hush" }
            """
        )
        var program = BinaryRunner.program()
        program.environment["MEDIASYNC_STATE"] = nil
        program.environment["MEDIASYNC_PER_HOST"] = "3"
        let result = try program.run(["doctor", "--show-config", "--config", file.text])
        let text = result.text
        #expect(result.exitCode == 0, "\(result.errorText)")
        let lines = text.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            lines.contains { $0.hasPrefix("state \(state) ") && $0.hasSuffix("(state in \(file), line 1)") },
            "\(text)"
        )
        #expect(lines.contains { $0.hasPrefix("pace.per_host 3 ") && $0.hasSuffix("($MEDIASYNC_PER_HOST)") }, "\(text)")
        #expect(
            lines.contains { $0.hasPrefix("media root \(source) ") && $0.contains("mastodon.media_root in") },
            "\(text)"
        )
        #expect(lines.contains { $0.hasPrefix("pace.rate ") && $0.hasSuffix("(default)") }, "\(text)")
        #expect(!text.contains("hush"))
        #expect(try program.run(["copy", "--config", file.text, source.text, target.text]).exitCode == 0)
        #expect(Disk.exists(state))
    }

    @Test("every option that can be set beforehand is one of its commands, and a flag where it is said to be")
    func table() throws {
        struct Tool: Decodable {
            struct Name: Decodable { let kind: String, name: String }
            struct Argument: Decodable { let kind: String, names: [Name]? }
            struct Command: Decodable { let commandName: String, arguments: [Argument]?, subcommands: [Command]? }
            let command: Command
        }
        let help = try run(["--experimental-dump-help"])
        let tool = try JSONDecoder().decode(Tool.self, from: Data(help.text.utf8))
        var kinds: [String: [String: String]] = [:]
        for command in tool.command.subcommands ?? [] {
            for argument in command.arguments ?? [] {
                for name in argument.names ?? [] where name.kind == "long" {
                    kinds[command.commandName, default: [:]][name.name] = argument.kind
                }
            }
        }
        // As they stand in docs/operations.md.
        for (command, option, kind) in Self.known {
            #expect(kinds[command]?[option] == kind, "\(command) --\(option)")
        }
        for command in ["copy", "restore", "refresh", "cleanup", "doctor", "status", "lookup"] {
            #expect(kinds[command]?["config"] == "option", "\(command)")
        }
    }

    private static let known: [(String, String, String)] =
        ["refresh", "repair", "migrate"].flatMap { command in
            ["concurrency", "per-host", "rate", "bwlimit", "timeout", "max-duration"].map { (command, $0, "option") }
                + [(command, "no-actor-lookup", "flag")]
        }
        + [
            "copy", "restore", "export", "verify", "manifest", "repair", "refresh", "cleanup", "migrate",
        ].flatMap { command in ["metrics-file", "ping", "color", "state"].map { (command, $0, "option") } }
        + [
            ("cleanup", "keep-interacted", "flag"), ("cleanup", "max-delete", "option"), ("cleanup", "trash", "option"),
            ("copy", "jobs", "option"), ("copy", "bwlimit", "option"), ("copy", "fsync", "option"),
            ("copy", "digest", "option"), ("copy", "delta", "option"), ("copy", "max-delete", "option"),
            ("copy", "rsh", "option"), ("copy", "remote-path", "option"), ("verify", "rsh", "option"),
            ("verify", "remote-path", "option"), ("restore", "jobs", "option"), ("restore", "spool-dir", "option"),
            ("export", "jobs", "option"), ("export", "keep-days", "option"), ("export", "zstd", "flag"),
            ("export", "include-cache", "flag"), ("doctor", "color", "option"),
        ]
}

extension BytePath {
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}
