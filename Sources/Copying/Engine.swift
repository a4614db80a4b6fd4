package import MediaModel

/// What a run drives: an engine with an account that can be looked at while it works.
package protocol Engine: Sendable {
    /// Works to the end, or until the control stops it.
    func run() async -> RunResult

    /// The account at this moment.
    func counts() -> Counts

    /// The process ends without waiting any longer: removes what would be litter.
    func abandon()
}

extension CopyEngine: Engine {}
