import ArgumentParser
import Diagnosing
import Foundation
import MediaModel
import Pacing
import Pipeline
import Presets
import Reporting
import Settings
import Storage

/// `mediasync doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check settings, database, media directory, permissions, room and programs.",
        discussion: """
            Shows what was found, where it came from, and what to do about what will not work. Changes nothing. Exit code \
            0 where nothing is a problem, else that of the first problem.
            """
    )

    @OptionGroup(title: "Mastodon") var mastodon: MastodonOptions

    @OptionGroup var configuration: ConfigurationOptions

    @Option(
        help: ArgumentHelp("Whom the web server runs as. Default: www-data, nginx, http, ...", valueName: "name")
    )
    var webUser: String?

    @Flag(help: "Show the settings that are used, each with its origin; secrets are masked.") var showConfig = false

    @Flag(help: "JSON lines (docs/json.md).") var json = false

    @Option(help: ArgumentHelp("When to colour: auto, never, always.", valueName: "when"))
    var color = ColorChoice.auto

    @Option(help: ArgumentHelp("Where runs are recorded; see mediasync help copy.", valueName: "dir"))
    var state: String?

    func run() async throws {
        let pool = WorkerPool(threads: 1)
        defer { pool.shutDown() }
        let status = await withTaskExecutorPreference(pool) { show() }
        if status != .done { throw ExitCode(status.rawValue) }
    }

    private func show() -> ExitStatus {
        let output = LineWriter(descriptor: 1)
        let server: Result<MastodonServer, SyncError> = Result { () throws(SyncError) in try MastodonServer(mastodon) }
        if showConfig {
            switch server {
            case .success(let server):
                let lines = server.settings.shown(processEnvironment) + [server.shownMediaRoot] + Self.shownPresets
                output.write(json ? FindingText.json(lines) : Array(FindingText.text(lines).utf8))
                return .done
            case .failure(let error):
                LineWriter(descriptor: 2).write(ErrorText.block(error))
                return error.code.exitStatus
            }
        }
        let probe = ServerProbe(webUser: webUser, state: state, environment: processEnvironment)
        let findings = Check.findings(probe.facts(server))
        if json {
            output.write(FindingText.json(findings))
        } else {
            let terminal = TerminalSupport(
                isTerminal: TerminalSupport.isTerminal(1),
                color: color,
                environment: processEnvironment
            )
            output.write(FindingText.text(findings, usesColor: terminal.usesColor))
        }
        for finding in findings { if case .problem(let code) = finding.verdict { return code.exitStatus } }
        return .done
    }

    /// Every option that can be set beforehand, and what sets it.
    private static var shownPresets: [SettingLine] {
        let presets = CommandLineStart.presets
        return PresetKey.all.map { key in
            let preset = presets.first { $0.key == key }
            // A health check's address is all that is needed to tell it lies.
            let value = preset.map { SettingMask.shown(key.option == "ping" ? "PING_TOKEN" : key.name, $0.text) }
            return SettingLine(name: key.name, value: value, origin: preset?.origin.description ?? "default")
        }
    }

    private var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }
}

extension MastodonServer {
    fileprivate var shownMediaRoot: SettingLine {
        let place = try? mediaRoot()
        return SettingLine(
            name: "media root",
            value: place.map { String(decoding: $0.path.bytes, as: UTF8.self) },
            origin: place?.origin.description ?? "not known"
        )
    }
}

extension MastodonSettings {
    /// Every setting that is used, with what holds where it is not set.
    fileprivate func shown(_ environment: [String: String]) -> [SettingLine] {
        var lines: [SettingLine] = []
        let file = envFile.map { String(decoding: $0.path.bytes, as: UTF8.self) }
        lines.append(SettingLine(name: "env file", value: file, origin: envFile?.origin.description ?? "not found"))
        for part in DatabasePart.allCases where filled("DATABASE_URL") == nil {
            let text = filled(part.rawValue)?.text ?? environment[part.libpqName] ?? fallback(for: part)
            let value = text.map { SettingMask.shown(part.rawValue, $0) }
            lines.append(SettingLine(name: part.rawValue, value: value, origin: origin(of: part).description))
        }
        for name in SettingMask.listed {
            guard let value = self[name] else { continue }
            let text = SettingMask.shown(name, value.text)
            lines.append(SettingLine(name: name, value: text, origin: value.origin.description))
        }
        return lines
    }
}
