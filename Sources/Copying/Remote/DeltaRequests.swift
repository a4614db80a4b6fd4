internal import Delta
internal import DequeModule
internal import Wire

/// Files that are wanted and of which the receiver has older versions, as their sender knows them: from the want to the
/// receiver's last word. A pure machine; its owner locks.
///
/// Whatever the receiver says, no more is kept than was agreed: so many files, and so many blocks that wait to be looked for.
struct DeltaRequests {
    private enum Stage {
        /// Nothing is known of the older version yet.
        case awaited
        case described(blocks: Int)
        /// Its blocks are being looked for, or will be.
        case working(blocks: Int)
        /// It was sent; the receiver may want it whole.
        case sent
    }

    private struct File {
        let batch: SentBatch
        var stage = Stage.awaited
    }

    /// Files that are looked through at a time: each has a buffer of two megabytes.
    private static let activeMax = 8

    private var files: [WireReference: File] = [:]
    /// What came of descriptions that are not whole yet.
    private var collectors: [WireReference: SignatureCollector] = [:]
    /// Files beyond `awaited`, and blocks of those that are not sent.
    private var inHand = 0
    private var blocks = 0
    private var ready = Deque<FileRequest>()
    private var active = 0

    var count: Int { files.count }

    /// A file is wanted, and its older version will be described.
    mutating func expect(_ reference: WireReference, in batch: SentBatch) throws(WireFault) {
        if files.updateValue(File(batch: batch), forKey: reference) != nil {
            throw WireFault("a file is wanted twice")
        }
    }

    /// The description begins.
    mutating func describe(_ basis: WireBasis) throws(WireFault) {
        guard case .awaited? = files[basis.reference]?.stage else {
            throw WireFault("a file is described that nobody waits for")
        }
        guard
            let plan = BlockPlan(
                fileBytes: basis.fileBytes,
                blockBytes: Int(basis.blockBytes),
                strongBytes: Int(basis.strongBytes)
            )
        else { throw WireFault("a file is described in a way that nobody knows") }
        if inHand >= WireLimit.bases || blocks + plan.blockCount > WireLimit.basisBlocks {
            throw WireFault("more is described than was agreed")
        }
        inHand += 1
        blocks += plan.blockCount
        files[basis.reference]?.stage = .described(blocks: plan.blockCount)
        collectors[basis.reference] = SignatureCollector(plan, seed: basis.seed)
        try add(basis.sums, to: basis.reference)
    }

    /// More of the description.
    mutating func add(_ sums: [UInt8], to reference: WireReference) throws(WireFault) {
        guard let file = files[reference], case .described(let count) = file.stage else {
            throw WireFault("checksums belong to no file")
        }
        if sums.isEmpty || collectors[reference]?.add(sums) != true {
            throw WireFault("checksums are not those of a file's blocks")
        }
        guard let signature = collectors[reference]?.finish() else { return }
        collectors[reference] = nil
        files[reference]?.stage = .working(blocks: count)
        ready.append(
            FileRequest(batch: file.batch, reference: reference, attributesOnly: false, signature: signature)
        )
    }

    /// The receiver wants all of it after all.
    mutating func sendWhole(_ reference: WireReference) throws(WireFault) -> FileRequest {
        guard let file = files[reference] else { throw WireFault("a file is wanted that was not sent") }
        if case .working = file.stage { throw WireFault("a file is wanted whole while it is looked through") }
        remove(reference)
        return FileRequest(batch: file.batch, reference: reference, attributesOnly: false)
    }

    /// The receiver needs no more of it.
    mutating func built(_ reference: WireReference) throws(WireFault) {
        guard case .sent? = files[reference]?.stage else { throw WireFault("a file is built that was not sent") }
        remove(reference)
    }

    /// The next file whose blocks are to be looked for.
    mutating func take() -> FileRequest? {
        guard active < Self.activeMax, let request = ready.popFirst() else { return nil }
        active += 1
        return request
    }

    /// A file was looked through and will be at its end with the next message.
    mutating func sent(_ reference: WireReference) {
        guard case .working(let count)? = files[reference]?.stage else { return }
        files[reference]?.stage = .sent
        blocks -= count
        active -= 1
    }

    /// A file that was being looked through comes another way, or not at all.
    mutating func forget(_ reference: WireReference) {
        guard case .working? = files[reference]?.stage else { return }
        active -= 1
        remove(reference)
    }

    private mutating func remove(_ reference: WireReference) {
        collectors[reference] = nil
        guard let file = files.removeValue(forKey: reference) else { return }
        switch file.stage {
        case .awaited: return
        case .described(let count), .working(let count): blocks -= count
        case .sent: break
        }
        inHand -= 1
    }
}
