internal import MediaModel

/// What mediasync writes at the databases it makes and keeps, so that a later run knows them for its own.
enum DatabaseComment {
    private static let stageStart = "mediasync: stage of run "
    private static let previousStart = "mediasync: live until run "

    private static let liveStart = "mediasync: live since run "

    static func stage(_ run: RunID) -> String { stageStart + run.text }
    static func previous(_ run: RunID) -> String { previousStart + run.text }
    static func live(_ run: RunID) -> String { liveStart + run.text }

    /// Whether a database with a stage's name is one. A run that died between making and naming it left no comment.
    static func isStage(_ comment: String?, of run: RunID) -> Bool {
        comment.map { $0 == stage(run) } ?? true
    }

    /// The run that made a database live; nil where none of ours did, or somebody wrote something else since.
    static func runOfLive(_ comment: String?) -> RunID? {
        guard let comment, comment.hasPrefix(liveStart) else { return nil }
        return RunID(String(comment.dropFirst(liveStart.count)))
    }

    static func isPrevious(_ comment: String?, of run: RunID) -> Bool { comment == previous(run) }
}
