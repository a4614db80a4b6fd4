internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// Directories of the target that are in the way of something else: with `--delete` they go after everything else is in
/// place, and the sender is asked for what they stood in the way of.
extension TreeReceiver {
    /// - Parameter visitor: one that gives files their names at once.
    func settleConflicts(_ visitor: CopyVisitor) async {
        let conflicts = context.conflicts.withLock { conflicts in
            defer { conflicts = [] }
            return conflicts
        }
        if conflicts.isEmpty { return }
        queue.resume()
        await run(visitor) {
            let worker = ReceiveWorker(receiver: self, visitor: visitor, index: 9998)
            worker.worker.settlesConflicts = true
            for conflict in conflicts where !self.context.control.shouldStop { self.settle(conflict, visitor, worker) }
        }
    }

    private func settle(_ conflict: Conflict, _ visitor: CopyVisitor, _ worker: ReceiveWorker) {
        let node = conflict.node
        // Its attributes were final before, and are made so again below: nobody's last hold does it once more.
        node.hold()
        defer { _ = node.release() }
        visitor.withReopened(node, worker.worker, dryRun: context.options.dryRun) {
            conflict.name.withEntryName { name in
                visitor.removeConflict(conflict, name, worker.worker)
                guard let batch = questions.entry(conflict.name, in: node.path()) else { return }
                let wanted = batch.entries.first.flatMap { worker.judge($0, name, in: node) }
                if let wanted { worker.want([(WireReference(batch: batch.id, index: 0), wanted)]) }
                let items = wanted.map { [Want.Item(index: 0, attributesOnly: $0.attributesOnly)] } ?? []
                connection.send(.want(Want(batch: batch.id, items: items)))
                // The directory is open until the file is in place.
                _ = queue.waitForEnd()
            }
        }
    }
}
