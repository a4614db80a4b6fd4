import MediaModel
import Testing

@testable import Presets

@Suite struct PresetsTests {
    private static let path = BytePath("/etc/mediasync/config.yaml")

    private static func file(_ text: String) throws(SyncError) -> ConfigurationFile {
        try ConfigurationFile(Array(text.utf8), path: path)
    }

    private static func error(_ text: String) throws -> SyncError {
        try #require(throws: SyncError.self) { _ = try file(text) }
    }

    @Test("sections and single values are read in either notation, as they are written")
    func reading() throws {
        let text = """
            # how this server is kept
            state: /var/lib/mediasync
            mastodon: { env_file: "/home/mastodon/live/.env.production" }
            pace:
              per_host: 4
              rate: 0x10
              max_duration: 2h
            cleanup: { keep_interacted: true, max_delete: 50% }
            report:
            copy: { jobs: ~ }
            """
        let presets = try Presets(Self.file(text), environment: [:])
        #expect(
            presets.all.map(\.argument) == [
                "--state=/var/lib/mediasync", "--env-file=/home/mastodon/live/.env.production", "--per-host=4",
                "--rate=0x10", "--max-duration=2h", "--keep-interacted", "--max-delete=50%",
            ]
        )
        #expect(
            presets.presets(for: "refresh").map(\.argument) == ["--per-host=4", "--rate=0x10", "--max-duration=2h"]
        )
        #expect(presets.presets(for: "cleanup").map(\.argument) == ["--keep-interacted", "--max-delete=50%"])
        #expect(presets.presets(for: "lookup").isEmpty)
        #expect(presets.variables.map(\.name) == ["MEDIASYNC_STATE", "MEDIASYNC_ENV_FILE"])
        #expect(presets.all[2].origin.description == "pace.per_host in \(Self.path), line 5")
    }

    @Test("an empty file and one of comments set nothing", arguments: ["", "\n", "# nothing\n", "---\n", "pace: {}\n"])
    func nothing(text: String) throws {
        #expect(try Presets(Self.file(text), environment: [:]).all.isEmpty)
    }

    @Test(
        "what cannot be meant is an error that names the place",
        arguments: [
            ("pace: { perhost: 4 }", "pace.perhost in", "did you mean pace.per_host?"),
            ("paec: { per_host: 4 }", "paec.per_host in", "did you mean pace.per_host?"),
            ("\n\nsecret: x", "line 3", "mediasync doctor --show-config"),
            ("pace: { rate: [1, 2] }", "pace.rate in", "write rate: VALUE"),
            ("pace: { rate: { a: 1 } }", "pace.rate in", "write rate: VALUE"),
            ("pace: 4", "pace in", "mediasync doctor"), ("- pace", "is no section", "write sections"),
            ("[1]: 2", "is no text", ""), ("pace: { rate: 1, rate: 2 }", "is no YAML", "correct it"),
            ("pace: {", "is no YAML", "correct it"), ("\"a\\e[31mb\": 1", "\\x1b[31mb in", ""),
        ]
    )
    func errors(text: String, what: String, hint: String) throws {
        let error = try Self.error(text)
        #expect(error.code == .configuration)
        #expect(error.what.contains(what), "\(error.what)")
        #expect(hint.isEmpty || error.hint?.contains(hint) == true, "\(error.hint ?? "")")
    }

    @Test("bytes that are no text are told")
    func bytes() throws {
        let error = try #require(throws: SyncError.self) { try ConfigurationFile([0x80, 0xFF], path: Self.path) }
        #expect(error.what.contains("UTF-8"))
    }

    @Test("the environment wins over the file, and an empty variable takes the file's value away")
    func precedence() throws {
        let file = try Self.file("pace: { per_host: 4, rate: 5 }\ncleanup: { keep_interacted: true }")
        let environment = [
            "MEDIASYNC_PER_HOST": "9", "MEDIASYNC_RATE": "", "MEDIASYNC_KEEP_INTERACTED": "false",
            "MEDIASYNC_BWLIMIT": "1M", "PER_HOST": "1",
        ]
        let presets = try Presets(file, environment: environment)
        #expect(presets.presets(for: "refresh").map(\.argument) == ["--per-host=9", "--bwlimit=1M"])
        #expect(presets.presets(for: "copy").map(\.argument) == ["--bwlimit=1M"])
        #expect(presets.presets(for: "cleanup").isEmpty)
        #expect(presets.presets(for: "refresh")[0].origin.description == "$MEDIASYNC_PER_HOST")
    }

    @Test(
        "what is typed is not preset, in whichever form it is typed",
        arguments: [
            (["--jobs", "3"], false), (["--jobs=3"], false), (["-j", "3"], false), (["-j3"], false), ([], true),
            (["--", "-j3"], true), (["--jobserver"], true),
        ]
    )
    func typed(arguments: [String], isPreset: Bool) throws {
        let presets = try Presets(nil, environment: ["MEDIASYNC_JOBS": "2"])
        #expect(presets.presets(for: "copy", typed: ["copy"] + arguments).isEmpty != isPreset)
    }

    @Test(
        "a flag is true or false",
        arguments: [("YES", true), ("1", true), ("on", true), ("off", false), ("0", false)]
    )
    func flags(text: String, isSet: Bool) throws {
        let presets = try Presets(nil, environment: ["MEDIASYNC_ZSTD": text])
        #expect(presets.presets(for: "export").map(\.argument) == (isSet ? ["--zstd"] : []))
    }

    @Test("a flag that is neither is an error")
    func flagErrors() throws {
        let error = try #require(throws: SyncError.self) { try Presets(nil, environment: ["MEDIASYNC_ZSTD": "maybe"]) }
        #expect(error.code == .configuration && error.what.contains("$MEDIASYNC_ZSTD"))
    }

    @Test("a variable that is nearly one of ours is told; those that are not are others'")
    func mistyped() throws {
        let environment = [
            "MEDIASYNC_PERHOST": "4", "MEDIASYNC_SERVICE_PORT": "80", "MEDIASYNC_RATES": "1", "MEDIASYNC_CONFIG": "x",
        ]
        let mistyped = try Presets(nil, environment: environment).mistyped
        #expect(mistyped.map(\.name) == ["MEDIASYNC_PERHOST", "MEDIASYNC_RATES"])
        #expect(mistyped.map(\.meant) == ["MEDIASYNC_PER_HOST", "MEDIASYNC_RATE"])
    }

    @Test("no option that deletes, overrules a guard or answers a question can be set beforehand")
    func harmless() {
        let never: Set = [
            "delete", "yes", "force", "dry-run", "days", "all", "orphans", "fresh", "undo", "drop-previous",
            "remove-headers",
            "prune-profiles", "include-follows", "missing",
        ]
        #expect(PresetKey.all.allSatisfy { !never.contains($0.option) })
        #expect(Set(PresetKey.all.map(\.name)).count == PresetKey.all.count)
    }
}
