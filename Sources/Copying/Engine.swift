package import MediaModel

/// What a run drives: an engine with an account that can be looked at while it works.
package protocol Engine: Sendable {
    /// Works to the end, or until the control stops it.
    func run() async -> RunResult

    /// The account at this moment.
    func counts() -> Counts

    /// The process ends without waiting any longer: removes what would be litter.
    func abandon()

    /// Counts what the run is going to see, beside it; nil where it is known otherwise or not worth the reading.
    func entryCounter() -> EntryCounter?
}

extension CopyEngine: Engine {
    package func entryCounter() -> EntryCounter? {
        EntryCounter(root: sourcePath, options: options, host: host)
    }
}

extension VerifyEngine {
    package func entryCounter() -> EntryCounter? {
        EntryCounter(root: sourcePath, options: options.selection, host: host)
    }
}

extension ManifestEngine {
    package func entryCounter() -> EntryCounter? {
        EntryCounter(root: rootPath, options: options.selection, host: host)
    }
}

extension ManifestCheckEngine {
    package func entryCounter() -> EntryCounter? { nil }
}
