internal import Delta
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization
internal import Wire

/// Files of which the target has an older version: described to the other end, and built from what it says is new.
extension ReceiveWorker {
    // MARK: Before

    /// How an older version of a wanted file is to be described; nil where it comes whole.
    /// - Parameter renames: files that it may have been, where that matters.
    func description(
        of wanted: WantedFile,
        _ entry: WireEntry,
        _ reference: WireReference,
        _ renames: RenameIndex?
    ) -> DeltaDescription? {
        guard !wanted.attributesOnly, !wanted.isUndecided, case .present(let source) = entry.state else { return nil }
        var plan: BlockPlan?
        var kind: DeltaPolicy.Kind?
        var path: BytePath?
        if let partial = wanted.partial {
            plan = RenameIndex.plan(partial.bytes)
        } else if let existing = wanted.replaces {
            guard existing.kind == .file else { return nil }
            plan = receiver.deltas.plan(wanted.name, oldBytes: existing.size, newBytes: source.size)
            kind = DeltaPolicy.Kind(wanted.name, keepsSize: existing.size == source.size)
        } else if let found = renames?.candidate(for: wanted.name, Metadata(source)) {
            plan = RenameIndex.plan(source.size)
            path = found
        }
        return plan.map {
            DeltaDescription(
                reference: reference,
                node: wanted.node,
                name: wanted.name,
                plan: $0,
                kind: kind,
                isProbe: kind.map(receiver.deltas.isPoor) ?? false,
                sibling: wanted.partial?.name,
                path: path
            )
        }
    }

    /// Tells the other end what is there of a file.
    func describe(_ description: DeltaDescription) {
        defer { release(description.node) }
        if context.control.shouldStop { return }
        let isOutdated = receiver.deltas.isOutdated(description)
        guard !isOutdated, let (basis, signature) = look(at: description) else {
            receiver.describe(receiver.deltas.release(description.plan))
            return receiver.connection.send(.sendWhole(description.reference))
        }
        let isWanted = receiver.wanted.withLock { wanted in
            wanted[description.reference]?.basis = basis
            return wanted[description.reference] != nil
        }
        // It was sent before it was described: by no honest end.
        guard isWanted else { return receiver.describe(receiver.deltas.release(description.plan)) }
        send(signature, description.reference)
    }

    /// Opens and reads an older version; nil where it is not what it was, or cannot be read.
    private func look(at description: DeltaDescription) -> (DeltaBasis, Signature)? {
        do throws(FileFault) {
            let file = try withPatience(context.control) { () throws(FileFault) in
                if let path = description.path {
                    return try path.withEntryName { (path) throws(FileFault) in
                        try context.root.target.openFile(beneath: path)
                    }
                }
                let name = description.sibling ?? description.name
                return try name.withEntryName { (name) throws(FileFault) in
                    try description.node.target.openFile(name)
                }
            }
            let metadata = try file.metadata()
            guard metadata.kind == .file, metadata.size == description.plan.fileBytes else { return nil }
            let basis = DeltaBasis(file, description.plan, description.kind)
            var offset: Int64 = 0
            let signature = try Signature.make(description.plan, seed: .random(in: 0 ... .max)) {
                (buffer) throws(FileFault) in
                let count = try OpenFile.read(descriptor: basis.descriptor, into: buffer, at: offset)
                offset += Int64(count)
                return count
            }
            return signature.map { (basis, $0) }
        } catch { return nil }
    }

    private func send(_ signature: Signature, _ reference: WireReference) {
        let plan = signature.plan
        let share = WireLimit.pieceBytes / Signature.bytesEach(plan)
        for start in stride(from: 0, to: plan.blockCount, by: share) {
            let sums = signature.bytes(of: start..<min(plan.blockCount, start + share))
            guard start == 0 else {
                receiver.connection.send(.sums(reference, sums))
                continue
            }
            let basis = WireBasis(
                reference: reference,
                fileBytes: plan.fileBytes,
                blockBytes: UInt32(plan.blockBytes),
                strongBytes: UInt8(plan.strongBytes),
                seed: signature.seed,
                sums: sums
            )
            receiver.connection.send(.basis(basis))
        }
    }

    // MARK: While it comes

    /// Takes blocks of the older version over. They were found to be within it when they came.
    func copy(_ copies: [WireCopy], to file: IncomingFile) {
        guard let basis = file.basis else { return }
        let plan = basis.plan
        for copy in copies {
            var offset = plan.offset(of: Int(copy.firstBlock))
            let end = min(plan.fileBytes, plan.offset(of: Int(copy.firstBlock) + Int(copy.blocks)))
            while offset < end {
                if file.assembly == nil { return }
                if context.control.shouldStop { return spoil(file) }
                let wanted = Int(min(end - offset, Int64(copyBuffer.bytes.count)))
                let piece = UnsafeMutableRawBufferPointer(rebasing: copyBuffer.bytes[..<wanted])
                do throws(FileFault) {
                    // Shorter than it was, or unreadable: then all of it is asked for.
                    let count = try OpenFile.read(descriptor: basis.descriptor, into: piece, at: offset)
                    if count != wanted { return spoil(file) }
                } catch { return spoil(file) }
                append(UnsafeRawBufferPointer(piece), to: file)
                offset += Int64(wanted)
                file.matchedBytes += Int64(wanted)
            }
        }
    }

    private func spoil(_ file: IncomingFile) {
        file.assembly?.discard()
        file.assembly = nil
        file.isSpoiled = true
    }

    // MARK: At the end

    /// A file that was built from an older version is at its end: the other end is told what came of it.
    /// - Parameter found: the digest of what was built; nil where that is not whole.
    /// - Returns: true where it is asked for once more, with all its bytes.
    func endDelta(of file: IncomingFile, _ end: FileEnd, _ found: Digest?) -> Bool {
        guard let basis = file.basis else { return false }
        file.basis = nil
        let more = receiver.deltas.release(basis.plan)
        defer { receiver.describe(more) }
        guard case .whole(let sum) = end, !context.control.shouldStop else { return false }
        if file.isSpoiled || (file.assembly != nil && found != sum) {
            file.assembly?.discard()
            file.assembly = nil
            file.isSettled = true
            var wanted = file.subject
            wanted.basis = nil
            wanted.partial?.remove(from: wanted.node.target)
            wanted.partial = nil
            receiver.wanted.withLock { $0[file.reference] = wanted }
            receiver.connection.send(.sendWhole(file.reference))
            return true
        }
        receiver.connection.send(.built(file.reference))
        if file.assembly != nil {
            let bytes = file.assembly?.metadata.size ?? 0
            if let kind = basis.kind {
                receiver.deltas.learn(kind, bytes: bytes, matchedBytes: file.matchedBytes)
            }
            tally.bytesMatched.add(Int(file.matchedBytes))
        }
        return false
    }
}

extension TreeReceiver {
    /// Has versions described, those first that have waited longest.
    func describe(_ descriptions: [DeltaDescription]) {
        queue.offer(descriptions.map { .describe($0) })
    }

    /// An older version is not needed after all.
    func forgetBasis(of wanted: inout WantedFile) {
        guard let basis = wanted.basis else { return }
        wanted.basis = nil
        describe(deltas.release(basis.plan))
    }

    func take(_ copies: [WireCopy], of transfer: UInt32, _ files: inout IncomingFiles) throws(WireFault) {
        guard let file = files.transfers[transfer], let plan = files.plans[transfer] else {
            throw WireFault("copies belong to no file")
        }
        for copy in copies where Int(copy.firstBlock) + Int(copy.blocks) > plan.blockCount {
            throw WireFault("a copy is from outside of what is there")
        }
        files.intake.add(.copies(copies), weight: copies.count * 16 + 512, to: file, queue)
    }
}
