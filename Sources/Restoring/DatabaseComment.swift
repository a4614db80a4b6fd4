internal import MediaModel

/// What mediasync writes at the databases it makes and keeps, so that a later run knows them for its own.
enum DatabaseComment {
    private static let stageStart = "mediasync: stage of run "
    private static let previousStart = "mediasync: live until run "
    private static let liveStart = "mediasync: live since run "
    private static let dumpStart = "; "

    static func stage(_ run: RunID) -> String { stageStart + run.text }

    /// - Parameter dump: what the database itself was made of.
    static func previous(_ run: RunID, dump: RestoredDump? = nil) -> String {
        previousStart + run.text + rest(dump)
    }

    /// - Parameter dump: what it was made of.
    static func live(_ run: RunID, dump: RestoredDump? = nil) -> String { liveStart + run.text + rest(dump) }

    private static func rest(_ dump: RestoredDump?) -> String { dump.map { dumpStart + $0.comment } ?? "" }

    /// Whether a database with a stage's name is one. A run that died between making and naming it left no comment.
    static func isStage(_ comment: String?, of run: RunID) -> Bool {
        comment.map { $0 == stage(run) } ?? true
    }

    /// The run that made a database live; nil where none of ours did, or somebody wrote something else since.
    static func runOfLive(_ comment: String?) -> RunID? {
        guard let comment, comment.hasPrefix(liveStart) else { return nil }
        return RunID(String(comment.dropFirst(liveStart.count).prefix { $0 != ";" }))
    }

    static func isPrevious(_ comment: String?, of run: RunID) -> Bool {
        guard let comment, comment.hasPrefix(previous(run)) else { return false }
        let rest = comment.dropFirst(previous(run).count)
        return rest.isEmpty || rest.hasPrefix(dumpStart)
    }
}
