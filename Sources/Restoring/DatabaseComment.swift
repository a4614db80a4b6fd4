internal import MediaModel

/// What mediasync writes at the databases it makes and keeps, so that a later run knows them for its own.
enum DatabaseComment {
    private static let stageStart = "mediasync: stage of run "
    private static let previousStart = "mediasync: live until run "

    static func stage(_ run: RunID) -> String { stageStart + run.text }
    static func previous(_ run: RunID) -> String { previousStart + run.text }

    /// Whether a database with a stage's name is one. A run that died between making and naming it left no comment.
    static func isStage(_ comment: String?, of run: RunID) -> Bool {
        comment.map { $0 == stage(run) } ?? true
    }

    static func isPrevious(_ comment: String?, of run: RunID) -> Bool { comment == previous(run) }
}
