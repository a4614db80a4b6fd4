package import MediaModel
package import Postgres

/// What a live database says of itself.
package enum RestoredDatabase {
    /// The run that made it live by a restore; nil where none did, or there is no such database.
    package static func run(of name: String, _ settings: ConnectionSettings) throws(SyncError) -> RunID? {
        try DatabaseComment.runOfLive(Administration(settings).database(name)?.comment)
    }
}
