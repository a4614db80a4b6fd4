import ArgumentParser
import Foundation
import MediaModel
import Postgres
import Settings
import Storage

/// Where Mastodon's database is: from Mastodon's own settings.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Mastodon's settings. Default: the first that is there of .env.production below /home/mastodon/live, "
                + "/opt/mastodon, /var/www/mastodon, and the snap's mastodon.conf.",
            valueName: "path"
        )
    )
    var envFile: String?

    private static let usualPlaces = [
        "/home/mastodon/live/.env.production", "/opt/mastodon/.env.production", "/var/www/mastodon/.env.production",
        "/var/snap/mastodon-server/common/mastodon.conf",
    ]

    /// The name of Mastodon's database where nobody says another.
    static let defaultDatabase = "mastodon_production"

    /// The settings that hold: the process's own variables before those of the file, as Mastodon does it.
    func settings() throws(SyncError) -> ConnectionSettings {
        let environment = ProcessInfo.processInfo.environment
        let file = try environmentFile()
        var settings = try ConnectionSettings(mastodon: { environment[$0] ?? file?[$0] })
        if file != nil {
            // What Mastodon itself takes where its settings are silent; libpq's own variables come first.
            if settings.host == nil, environment["PGHOST"] == nil { settings.host = "localhost" }
            if settings.user == nil, environment["PGUSER"] == nil { settings.user = "mastodon" }
        }
        if settings.database == nil { settings.database = environment["PGDATABASE"] ?? Self.defaultDatabase }
        return settings
    }

    private func environmentFile() throws(SyncError) -> EnvironmentFile? {
        let path: BytePath
        if let envFile {
            path = RawArguments.path(envFile)
        } else if let found = Self.usualPlaces.first(where: { access($0, R_OK) == 0 }) {
            path = BytePath(found)
        } else {
            return nil
        }
        do throws(SyncError) {
            return EnvironmentFile(try UserFile.read(path, limit: 1 << 20))
        } catch {
            throw SyncError(.configuration, error.what, why: error.why, hint: "check --env-file")
        }
    }
}
