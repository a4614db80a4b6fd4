import ArgumentParser
import Foundation
import MediaModel
import Presets
import Reporting
import Settings
import Storage
import Synchronization

/// Puts what the environment and the configuration file set in front of what the user typed, and runs the command.
struct CommandLineStart {
    /// What `doctor --show-config` shows; empty before the start.
    private static let active = Mutex<[Preset]>([])

    static var presets: [Preset] { active.withLock { $0 } }

    /// Where the values of variables really came from that are ours and not the user's.
    static var origins: [String: SettingOrigin] {
        var origins: [String: SettingOrigin] = [:]
        for preset in presets {
            guard case .file(let path, let key, _) = preset.origin else { continue }
            origins[preset.key.variable] = .file(key, path)
        }
        return origins
    }

    private let typed: [String]
    private let used: [Preset]

    /// Reads the file and the environment, and ends the process where they cannot be understood. Changes the process's
    /// environment: to be called before there are threads.
    init(_ typed: [String]) {
        self.typed = typed
        // An agent does what its command line says and nothing else: it may be all that a key is allowed.
        guard let command = typed.first, command != "agent", !Self.asksForHelp(typed) else {
            used = []
            return
        }
        do throws(SyncError) {
            let environment = ProcessInfo.processInfo.environment
            let presets = try Presets(Self.file(typed, environment), environment: environment)
            Self.active.withLock { $0 = presets.all }
            for (name, preset) in presets.variables { setenv(name, preset.text, 1) }
            used = presets.presets(for: command, typed: typed)
            for (name, meant) in presets.mistyped where !typed.contains("-q") && !typed.contains("--quiet") {
                let text = ErrorText.warning("$\(name) is no setting", hint: "did you mean \(meant)?")
                LineWriter(descriptor: 2).write(text)
            }
        } catch {
            Self.end(error)
        }
    }

    private static func asksForHelp(_ typed: [String]) -> Bool {
        typed.first == "help"
            || typed.contains { ["-h", "--help", "--version", "--experimental-dump-help"].contains($0) }
    }

    /// The file that `--config` or the variable names; else the usual one where it is there.
    private static func file(
        _ typed: [String],
        _ environment: [String: String]
    ) throws(SyncError) -> ConfigurationFile? {
        let named = flag(typed) ?? environment[Presets.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        if named == nil, access(ConfigurationFile.usualPlace, F_OK) != 0 { return nil }
        let path = RawArguments.path(named ?? ConfigurationFile.usualPlace)
        let bytes: [UInt8]
        do throws(SyncError) {
            bytes = try UserFile.read(path, limit: ConfigurationFile.bytesMax)
        } catch {
            let hint = "make it readable for this user, or name another with --config (/dev/null for none)"
            throw SyncError(.configuration, error.what, why: error.why, hint: hint)
        }
        return try ConfigurationFile(bytes, path: path)
    }

    private static func flag(_ typed: [String]) -> String? {
        for (index, argument) in typed.enumerated() {
            if argument == "--" { return nil }
            if argument == "--config", index + 1 < typed.count { return typed[index + 1] }
            if argument.hasPrefix("--config=") { return String(argument.dropFirst("--config=".count)) }
        }
        return nil
    }

    // MARK: Running

    func run() async -> Never {
        do {
            var command = try await parse()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // Whoever is told that an option is wrong here may not have typed it.
            if (error as? ExitCode)?.rawValue == ExitStatus.usage.rawValue, !used.isEmpty {
                let list = used.map { "\($0.argument) (\($0.origin))" }.joined(separator: ", ")
                let hint = "an empty variable of that name leaves one out for this run"
                LineWriter(descriptor: 2).write(ErrorText.warning("these options were preset: \(list)", hint: hint))
            }
            MediasyncCommand.exit(withError: error)
        }
        exit(EXIT_SUCCESS)
    }

    private func parse() async throws -> any ParsableCommand {
        do {
            return try await MediasyncCommand.asyncParseAsRoot(
                typed.prefix(1) + used.map(\.argument) + typed.dropFirst()
            )
        } catch {
            if used.isEmpty { throw error }
            _ = try await MediasyncCommand.asyncParseAsRoot(typed)
            // Without them all is well.
            let why = MediasyncCommand.message(for: error)
            Self.end(
                SyncError(
                    .configuration,
                    "\(await culprits().map { "\($0.argument) (\($0.origin))" }.joined(separator: ", ")) is not taken",
                    why: BytePath.escaped(Array(why.utf8)),
                    hint: "correct it there, or type the option to overrule it"
                )
            )
        }
    }

    /// The presets that are wrong by themselves; all of them where only their combination is.
    private func culprits() async -> [Preset] {
        var found: [Preset] = []
        for preset in used {
            let arguments = typed.prefix(1) + [preset.argument] + typed.dropFirst()
            if (try? await MediasyncCommand.asyncParseAsRoot(Array(arguments))) == nil { found.append(preset) }
        }
        return found.isEmpty ? used : found
    }

    private static func end(_ error: SyncError) -> Never {
        LineWriter(descriptor: 2).write(ErrorText.block(error))
        exit(error.code.exitStatus.rawValue)
    }
}
