package import MediaModel
package import Running

/// One stage of a run of several: what it is called, what it is going to do, and how its engine is made once its turn comes,
/// because what it works on may only be there then.
package struct RunStage: Sendable {
    /// A plain word: `restore`.
    package let name: String
    /// One line that tells what it is about to do; names in it are escaped. Empty where that goes without saying.
    package let plan: String
    /// Called on a thread of its own: it may block.
    let make: @Sendable () throws(SyncError) -> any Engine

    package init(_ name: String, plan: String = "", make: @escaping @Sendable () throws(SyncError) -> any Engine) {
        self.name = name
        self.plan = plan
        self.make = make
    }
}

/// How a stage ended.
package struct StageResult: Sendable {
    package let name: String
    package let result: RunResult
    package let elapsed: Duration
}

/// Remembers how far a run of several stages came, so that a later one goes on.
package protocol StageJournal: Sendable {
    /// A stage begins.
    func begin(_ stage: String) throws(SyncError)
    /// It came to its end: `result` has no error.
    func end(_ stage: String, _ result: RunResult) throws(SyncError)
}
