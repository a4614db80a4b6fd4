package import MediaModel

/// An option that was set beforehand, and by whom.
package struct Preset: Sendable, Equatable {
    package enum Origin: Sendable, Equatable {
        case environment(String)
        case file(BytePath, key: String, line: Int)
    }

    package let key: PresetKey
    package let text: String
    package let origin: Origin

    /// What the command line would say: one argument.
    package var argument: String { key.isFlag ? "--\(key.option)" : "--\(key.option)=\(text)" }
}

extension Preset.Origin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .environment(let name): "$\(name)"
        case .file(let path, let key, let line): "\(key) in \(path), line \(line)"
        }
    }
}

/// What the environment and the configuration file set: the environment wins, the command line wins over both. A variable
/// that is empty takes the file's value away.
package struct Presets: Sendable {
    /// In the order of the keys.
    package let all: [Preset]
    /// Variables that are called nearly like one of ours: what they may have been meant for.
    package let mistyped: [(name: String, meant: String)]

    /// - Parameter file: nil where there is none.
    /// - Throws: an error with the code `configuration` where a flag is neither true nor false.
    package init(_ file: ConfigurationFile?, environment: [String: String]) throws(SyncError) {
        var all: [Preset] = []
        for key in PresetKey.all {
            let preset = Self.preset(key, file, environment)
            guard let preset, !preset.text.isEmpty else { continue }
            if key.isFlag, try !Self.isTrue(preset) { continue }
            all.append(preset)
        }
        self.all = all
        let known = Set(PresetKey.all.map(\.variable) + [Self.fileVariable])
        mistyped = environment.keys.sorted().compactMap { name in
            guard name.hasPrefix(PresetKey.variablePrefix), !known.contains(name) else { return nil }
            return Similarity.nearest(to: name, among: known.sorted()).map { (name, $0) }
        }
    }

    /// Names the configuration file.
    package static let fileVariable = "MEDIASYNC_CONFIG"

    private static func preset(_ key: PresetKey, _ file: ConfigurationFile?, _ environment: [String: String]) -> Preset?
    {
        if let text = environment[key.variable] {
            return Preset(key: key, text: text, origin: .environment(key.variable))
        }
        guard let file, let entry = file.entries[key.name] else { return nil }
        return Preset(
            key: key,
            text: entry.text,
            origin: .file(file.path, key: key.name, line: entry.line)
        )
    }

    private static func isTrue(_ preset: Preset) throws(SyncError) -> Bool {
        switch preset.text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default:
            throw SyncError(
                .configuration,
                "\(preset.origin) is neither true nor false: \(BytePath.escaped(Array(preset.text.utf8)))",
                hint: "write true or false"
            )
        }
    }

    /// What is said to a command beside what the user typed: nothing of what is said there.
    package func presets(for command: String, typed: [String] = []) -> [Preset] {
        all.filter { $0.key.commands.contains(command) && !$0.key.isTyped(in: typed) }
    }

    /// Values of the file that commands look for in the environment by themselves: by variable.
    package var variables: [(name: String, preset: Preset)] {
        all.compactMap { preset in
            guard preset.key.commands.isEmpty, case .file = preset.origin else { return nil }
            return (preset.key.variable, preset)
        }
    }
}
