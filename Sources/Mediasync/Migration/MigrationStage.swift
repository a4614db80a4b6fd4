import ArgumentParser

/// The stages of a move, in their order.
enum MigrationStage: String, CaseIterable, ExpressibleByArgument {
    case doctor, restore, media, configuration, cleanup, refresh, verify

    /// Those from one to another, both included; nil where they are the wrong way round.
    static func range(from first: MigrationStage?, to last: MigrationStage?) -> [MigrationStage]? {
        let begin = first.flatMap { allCases.firstIndex(of: $0) } ?? 0
        let end = last.flatMap { allCases.firstIndex(of: $0) } ?? allCases.count - 1
        return begin <= end ? Array(allCases[begin...end]) : nil
    }
}

/// `cleanup,verify`.
struct MigrationStagesArgument: ExpressibleByArgument {
    let stages: Set<MigrationStage>

    init?(argument: String) {
        var stages: Set<MigrationStage> = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let stage = MigrationStage(rawValue: String(word)) else { return nil }
            stages.insert(stage)
        }
        self.stages = stages
    }
}

/// Which stages of a move are run now.
struct MigrationChoice: Equatable {
    /// Everything this move has, in order.
    var available: [MigrationStage]
    /// What is run now.
    var wanted: [MigrationStage]
    /// Done by an earlier run, and not run again.
    var done: Set<MigrationStage>
    /// Run again although they may be done.
    var again: [MigrationStage]

    /// - Parameters:
    ///   - hasDump: there is a database to restore.
    ///   - hasMedia: there are media to copy.
    ///   - hasConfiguration: there are settings to take over.
    ///   - isDone: whether an earlier run of this move did a stage.
    init(
        range: [MigrationStage],
        isExplicitBegin: Bool,
        skipped: Set<MigrationStage>,
        hasDump: Bool,
        hasMedia: Bool,
        hasConfiguration: Bool,
        isDone: (MigrationStage) -> Bool
    ) {
        available = MigrationStage.allCases.filter { stage in
            switch stage {
            case .restore: hasDump
            case .media: hasMedia
            case .configuration: hasConfiguration
            default: true
            }
        }
        let chosen = available.filter { range.contains($0) && !skipped.contains($0) }
        // --from says where to begin, done or not.
        again = isExplicitBegin ? chosen : []
        let done = isExplicitBegin ? [] : Set(chosen.filter { $0 != .doctor && isDone($0) })
        self.done = done
        let left = chosen.filter { !done.contains($0) }
        wanted = left == [.doctor] && chosen.count > 1 ? [] : left
    }

    /// Mastodon must not run while these do.
    static let exclusive: Set<MigrationStage> = [.restore, .media, .configuration]

    /// Something is going to be done for which Mastodon must not run.
    var needsStop: Bool { wanted.contains { Self.exclusive.contains($0) } }
}
