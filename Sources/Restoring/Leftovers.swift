internal import MediaModel

/// Databases of earlier runs beside a live one.
struct Leftovers {
    /// Stages whose runs are gone.
    var deadStages: [DatabaseFacts] = []
    /// What was live before, newest first.
    var previous: [(facts: DatabaseFacts, run: RunID)] = []

    /// Looks for those of one name. A stage of a living run is nobody's business but that run's.
    init(of names: DatabaseNames, _ administration: Administration) throws(SyncError) {
        for facts in try administration.databases() {
            if let run = names.runOfStage(facts.name), DatabaseComment.isStage(facts.comment, of: run) {
                if try !administration.isAlive(run) { deadStages.append(facts) }
            } else if let run = names.runOfPrevious(facts.name), DatabaseComment.isPrevious(facts.comment, of: run) {
                previous.append((facts, run))
            }
        }
        previous.sort { $0.run.text > $1.run.text }
    }
}
