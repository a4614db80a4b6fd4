package import MediaModel

/// The names of the databases beside the live one: the stage that is loaded, and what was live before. They carry the run,
/// so that a later run knows them.
package struct DatabaseNames: Sendable, Equatable {
    /// What Mastodon connects to.
    package let live: String

    package init(live: String) {
        self.live = live
    }

    /// PostgreSQL cuts longer names silently.
    private static let bytesMax = 63

    package func stage(of run: RunID) -> String { name("_stage_", run) }

    /// Where the live database goes when it is replaced.
    package func previous(before run: RunID) -> String { name("_before_", run) }

    private func name(_ middle: String, _ run: RunID) -> String {
        prefix(middle) + middle + run.text
    }

    /// The live name, cut where the whole would be too long; never inside a character.
    private func prefix(_ middle: String) -> String {
        var prefix = live
        while prefix.utf8.count + middle.utf8.count + 24 > Self.bytesMax { prefix.removeLast() }
        return prefix
    }

    /// The run whose stage this is; nil for every other name.
    package func runOfStage(_ name: String) -> RunID? { run(in: name, "_stage_") }

    package func runOfPrevious(_ name: String) -> RunID? { run(in: name, "_before_") }

    private func run(in name: String, _ middle: String) -> RunID? {
        let head = prefix(middle) + middle
        guard name.utf8.starts(with: head.utf8) else { return nil }
        return RunID(name.dropFirst(head.count))
    }
}
