import Diagnosing
import Foundation
import MediaModel
import Pipeline
import Settings
import Storage

/// Gathers what `doctor` judges. Blocks: for a thread of our own.
struct ServerProbe: Sendable {
    /// Whom the web server runs as; nil to guess.
    var webUser: String?
    /// Where runs are recorded, as it was asked for.
    var state: String?
    var environment: [String: String]

    func facts(_ server: Result<MastodonServer, SyncError>) -> ServerFacts {
        var facts = ServerFacts()
        facts.host = hostFacts()
        switch server {
        case .failure(let error):
            facts.settings.error = error
        case .success(let server):
            facts.settings = server.settingsFacts()
            facts.database = DatabaseProbe.run(
                Result { () throws(SyncError) in try server.database() },
                origin: server.settings.databaseOrigin
            )
            facts.media = MediaProbe.run(
                Result { () throws(SyncError) in
                    let place = try server.mediaRoot()
                    return (place.path, place.origin.description)
                },
                webUser: webUser
            )
            facts.tools = server.toolFacts(searchPath: environment["PATH"] ?? "")
        }
        return facts
    }

    private func hostFacts() -> HostFacts {
        let host = Storage.Host.current()
        var facts = HostFacts()
        facts.descriptors = host.descriptorLimit
        let place = try? StateLocation.resolve(flag: state, environment: environment, isRoot: host.isRoot)
        guard let place else { return facts }
        let variable = "MEDIASYNC_STATE"
        let set = environment[variable].map { _ in CommandLineStart.origins[variable] ?? .environment(variable) }
        let origin = state != nil ? "--state" : set?.description ?? "default"
        facts.state = Sourced(BytePath(place).description, origin)
        facts.isStateWritable = Self.canWrite(place)
        return facts
    }

    /// The directory, or where it is not there yet the next one above it that is.
    private static func canWrite(_ place: String) -> Bool {
        var url = URL(fileURLWithPath: place)
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" { url.deleteLastPathComponent() }
        return FileManager.default.isWritableFile(atPath: url.path)
    }
}

extension MastodonServer {
    fileprivate func settingsFacts() -> SettingsFacts {
        var facts = SettingsFacts()
        facts.envFile = settings.envFile.map { Sourced($0.path.description, $0.origin.description) }
        facts.mode = settings.envFile.flatMap { try? Metadata(ofUserPath: $0.path).permissions }
        facts.strangeLines = settings.strangeLines
        facts.namesDatabase = settings.namesDatabase
        facts.hasPreparedStatementsOff = settings["PREPARED_STATEMENTS"]?.text == "false"
        facts.redis = settings.redis.map { Sourced($0.text, $0.origin.description) }
        return facts
    }

    fileprivate func toolFacts(searchPath: String) -> [ToolFacts] {
        let programs: [(ToolFacts.Tool, String)] = [(.ffmpeg, "FFMPEG_BINARY"), (.ffprobe, "FFPROBE_BINARY")]
        return programs.map { tool, name in
            let named = settings.filled(name).map { Sourced($0.text, $0.origin.description) }
            return ToolProbe.program(tool, named: named, searchPath: searchPath)
        } + [ToolProbe.library()]
    }
}

extension MastodonSettings {
    /// Who says where the database is: who names its host, or who names it at all.
    fileprivate var databaseOrigin: String {
        let parts: [DatabasePart] = [.host, .database, .user]
        return (parts.map { origin(of: $0) }.first { $0 != .standard } ?? .standard).description
    }
}
