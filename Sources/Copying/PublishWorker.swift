internal import MediaModel
internal import Running
internal import Storage

/// One thread's hands for publishing: makes a file durable, checks it where asked, gives it its name.
final class PublishWorker {
    let context: CopyContext
    let tally: Tally
    private lazy var checker = ContentCopier(context: context, queue: nil)

    init(context: CopyContext) {
        self.context = context
        tally = context.account.makeTally()
    }

    /// Finishes a file that has all its bytes and attributes. Whatever goes wrong, nothing of it stays and the old entry
    /// does.
    func publish(_ publication: Publication, _ flush: FileFlush = .each) {
        let file = OpenFile(raw: publication.descriptor)
        if context.control.shouldStop { return publication.leave(context) }
        let outcome: Outcome
        if context.publishesLater, let error = synchronize(file, publication, flush) {
            publication.removeTemporary()
            outcome = context.failure(error)
        } else {
            outcome = context.giveName(publication)
        }
        if let inode = publication.hardLink {
            var place: HardLinkTable.Place?
            if case .copied = outcome {
                place = HardLinkTable.Place(node: publication.node, name: publication.name, identity: nil)
            }
            context.hardLinks?.settle(inode, at: place)
        }
        account(for: publication, outcome)
    }

    private func account(for publication: Publication, _ outcome: Outcome) {
        var bytes: Int64 = 0
        if case .copied = outcome { bytes = publication.size }
        publication.name.withEntryName {
            context.finish(
                outcome,
                .file,
                in: publication.node,
                name: $0,
                tally: tally,
                changes: publication.changes,
                bytes: bytes,
                digest: publication.digest
            )
        }
    }

    /// Content and attributes on the disk, and (`--verify`) read back from it. An fsync error is final.
    private func synchronize(
        _ file: borrowing OpenFile,
        _ publication: Publication,
        _ flush: FileFlush
    ) -> SyncError? {
        let path = { publication.node.path().appending(publication.name) }
        do throws(FileFault) {
            try flush.finish(file)
        } catch {
            return error.syncError("could not write \(path()) to the disk")
        }
        guard context.options.verify, let digest = publication.digest else { return nil }
        file.forgetCache()
        do throws(ContentFault) {
            let written: OpenFile
            do throws(FileFault) { written = try file.reopenedForReading() } catch { throw .read(error) }
            let again = try checker.digest(of: written, publication.size)
            tally.bytesCompared.add(Int(publication.size))
            if again == digest { return nil }
        } catch {
            switch error {
            case .read(let fault), .write(let fault): return fault.syncError("could not read \(path()) back")
            case .stopped: return SyncError(.interrupted, "stopped while reading \(path()) back")
            case .changed: break
            }
        }
        return SyncError(
            .item,
            "\(path()) was not written correctly",
            why: "its digest read back from the disk differs",
            hint: "check the disk (dmesg, smartctl) and the memory, then run the same command again"
        )
    }

    /// Attributes that were changed in place are on the disk.
    func synchronizeAttributes(_ publication: Publication) {
        let file = OpenFile(raw: publication.descriptor)
        var outcome = Outcome.updated
        do throws(FileFault) {
            try file.synchronize()
        } catch {
            let path = publication.node.path().appending(publication.name)
            outcome = context.failure(error, "could not write the attributes of \(path) to the disk")
        }
        account(for: publication, outcome)
    }

    /// A directory's entries and attributes are on the disk; then it is closed and on the account.
    func finishDirectory(_ node: DirectoryNode, _ outcome: Outcome) {
        var outcome = outcome
        do throws(FileFault) {
            try node.target.synchronize()
        } catch {
            outcome = context.failure(error, "could not write the directory \(node.path()) to the disk")
        }
        context.close(node, outcome, tally: tally)
    }
}
