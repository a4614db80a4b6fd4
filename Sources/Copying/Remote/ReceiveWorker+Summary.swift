internal import MediaModel
internal import Storage
internal import Synchronization
internal import Wire

/// Directories that are compared as a whole.
extension ReceiveWorker {
    /// Compares a child of a directory with what the other end has in it, and says whether all is the same.
    func compare(_ sent: WireSummary, in directory: ReceivedDirectory) {
        let node = directory.node
        let found = directory.isOpen ? subtree(sent, in: node) : nil
        if let found { account(found) }
        receiver.connection.send(.summaryAnswer(id: sent.id, isSame: found != nil))
        release(node)
    }

    /// What there is, where it is the same.
    private func subtree(_ sent: WireSummary, in node: DirectoryNode) -> SubtreeSummary? {
        guard context.options.canSummarize, node.target.isOpen,
            node.flags.isDisjoint(with: [.fresh, .absent, .failed, .otherDevice]),
            let found = look(at: sent, in: node.target), found.entries == sent.entries,
            found.digest == sent.digest, !mayDifferInAttributes(sent, found)
        else { return nil }
        return found
    }

    private func look(at sent: WireSummary, in parent: HeldDirectory) -> SubtreeSummary? {
        if !sent.names.isEmpty, !context.options.delete, context.deadRuns.isEmpty {
            return subtrees.look(at: sent.name, names: sent.names, in: parent)
        }
        guard
            let directory = try? sent.name.withEntryName({ (name) throws(FileFault) in
                try parent.openDirectory(name)
            })
        else { return nil }
        defer { directory.close() }
        return subtrees.read(directory, entries: Int(sent.entries))
    }

    /// As `CopyContext.mayDifferInAttributes`, for each entry.
    private func mayDifferInAttributes(_ sent: WireSummary, _ found: SubtreeSummary) -> Bool {
        guard context.options.extendedAttributes else { return false }
        // Whoever does not tell may have changed anything.
        guard sent.ages.count == found.entries else { return true }
        return found.changeTimes.indices.contains { index in
            sent.change(ofEntry: index).addingReportingOverflow(context.clockLead).partialValue
                > found.changeTimes[index]
        }
    }

    private func account(_ found: SubtreeSummary) {
        tally.seen.add(found.entries)
        tally.directories.add(found.directories)
        tally.files.add(found.files)
        tally.others.add(found.links)
        tally.unchanged.add(found.entries)
        tally.bytesSeen.add(Int(found.bytes))
        if context.options.delete { context.targetEntries.wrappingAdd(found.entries, ordering: .relaxed) }
    }
}
