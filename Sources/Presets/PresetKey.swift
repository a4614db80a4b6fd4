/// An option of the command line that the environment or the configuration file may set beforehand. These are options that
/// say how something is done; what is done, and what overrules a guard, is said on the command line alone.
package struct PresetKey: Sendable, Equatable {
    /// Its name in the file: `pace.per_host`, `state`.
    package let name: String
    /// Its name on the command line, without the dashes: `per-host`.
    package let option: String
    /// Its one-letter name, if it has one.
    package var letter: Character? { Self.letters[option] }
    /// A flag is `true` or `false` in the file, and takes no value on the command line.
    package let isFlag: Bool
    /// The commands that it is for, as they are typed: `refresh`, `schedule install`. Empty where every command looks at the
    /// variable by itself.
    package let commands: [String]

    /// Its name in the environment: the option's. One variable serves all keys whose option is called the same.
    package var variable: String {
        Self.variablePrefix + option.uppercased().replacing("-", with: "_")
    }

    package static let variablePrefix = "MEDIASYNC_"

    private static let letters: [String: Character] = ["concurrency": "j", "jobs": "j", "rsh": "e"]

    /// Whether a command line sets it.
    func isTyped(in arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { argument in
            if argument == "--\(option)" || argument.hasPrefix("--\(option)=") { return true }
            return letter.map { argument.hasPrefix("-\($0)") } ?? false
        }
    }

    private static func key(_ name: String, _ option: String, isFlag: Bool = false, _ commands: [String]) -> PresetKey {
        PresetKey(name: name, option: option, isFlag: isFlag, commands: commands)
    }

    private static let paced = ["refresh", "repair", "migrate"]
    private static let running = [
        "copy", "restore", "export", "verify", "manifest", "repair", "refresh", "cleanup", "migrate",
    ]

    /// All of them, in the order in which they are shown.
    package static let all: [PresetKey] = [
        key("state", "state", []),
        key("mastodon.env_file", "env-file", []),
        key("mastodon.media_root", "media-root", []),
        key("pace.concurrency", "concurrency", paced),
        key("pace.per_host", "per-host", paced),
        key("pace.rate", "rate", paced),
        key("pace.bwlimit", "bwlimit", paced),
        key("pace.timeout", "timeout", paced),
        key("pace.max_duration", "max-duration", paced),
        key("pace.no_actor_lookup", "no-actor-lookup", isFlag: true, paced),
        key("cleanup.keep_interacted", "keep-interacted", isFlag: true, ["cleanup"]),
        key("cleanup.max_delete", "max-delete", ["cleanup"]),
        key("cleanup.trash", "trash", ["cleanup"]),
        key("copy.jobs", "jobs", ["copy"]),
        key("copy.bwlimit", "bwlimit", ["copy"]),
        key("copy.fsync", "fsync", ["copy"]),
        key("copy.digest", "digest", ["copy"]),
        key("copy.delta", "delta", ["copy"]),
        key("copy.max_delete", "max-delete", ["copy"]),
        key("copy.rsh", "rsh", ["copy", "verify"]),
        key("copy.remote_path", "remote-path", ["copy", "verify"]),
        key("copy.connections", "connections", ["copy"]),
        key("restore.jobs", "jobs", ["restore"]),
        key("restore.spool_dir", "spool-dir", ["restore"]),
        key("export.jobs", "jobs", ["export"]),
        key("export.keep_days", "keep-days", ["export"]),
        key("export.zstd", "zstd", isFlag: true, ["export"]),
        key("export.include_cache", "include-cache", isFlag: true, ["export"]),
        key("report.metrics_file", "metrics-file", running),
        key("report.ping", "ping", running),
        key("report.color", "color", running + ["doctor"]),
    ]

    /// Whether keys begin with this name and a dot.
    static func isSection(_ name: String) -> Bool { all.contains { $0.name.hasPrefix("\(name).") } }

    /// The key of a name in the file.
    static func named(_ name: String) -> PresetKey? { all.first { $0.name == name } }
}
