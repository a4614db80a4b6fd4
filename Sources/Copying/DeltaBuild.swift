internal import Checksums
internal import Delta
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Makes one file of the target from its older version there and from what is new in the source. One owner; the descriptors
/// stay the caller's.
final class DeltaBuild {
    private enum Fault: Error {
        case content(ContentFault)
        /// The older version is not what it was: the file is copied whole.
        case basis
    }

    private static let bufferBytes = 256 << 10

    private let context: CopyContext
    private let source: Int32
    private let metadata: Metadata
    private let basis: Int32
    private let target: Int32
    private let digest: StreamingDigest
    private let buffer: UnsafeMutableRawBufferPointer
    /// What is built, as it is read back from where it comes from.
    private var patch: Patch
    private var readBytes: Int64 = 0

    /// - Parameter basisBytes: of the older version when it was looked at.
    init(
        _ context: CopyContext,
        from source: Int32,
        _ metadata: Metadata,
        basis: Int32,
        basisBytes: Int64,
        to target: Int32
    ) {
        self.context = context
        self.source = source
        self.metadata = metadata
        self.basis = basis
        self.target = target
        let algorithm = context.options.digest ?? .xxh3
        digest = StreamingDigest(algorithm)
        patch = Patch(oldBytes: basisBytes, newBytes: metadata.size, algorithm: algorithm)
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4096)
    }

    deinit {
        buffer.deallocate()
    }

    /// - Returns: the file's digest, and the bytes that were there; nil where it must be copied whole. The target may have
    ///   some bytes then.
    func run(_ plan: BlockPlan) throws(ContentFault) -> (digest: Digest, matchedBytes: Int64)? {
        do throws(Fault) {
            return try build(plan)
        } catch {
            if case .content(let fault) = error { throw fault }
            return nil
        }
    }

    private func build(_ plan: BlockPlan) throws(Fault) -> (Digest, Int64) {
        guard let before = try? Metadata(ofOpen: basis), before.kind == .file, before.size == plan.fileBytes else {
            throw .basis
        }
        // What is written to it from here on shows in its times.
        _ = CopyContext.settle(before)
        let figures = try DeltaScanner(try describeBasis(plan)).scan { (piece) throws(Fault) in
            try readSource(into: piece)
        } piece: { (piece) throws(Fault) in
            switch piece {
            case .copy(let offset, let count): try copy(offset, count)
            case .literal(let bytes): try write(bytes)
            }
        }
        let sum = digest.finish()
        guard patch.finish() == sum, let after = try? Metadata(ofOpen: basis), after.sameVersion(as: before) else {
            throw .basis
        }
        return (sum, figures.matchedBytes)
    }

    private func describeBasis(_ plan: BlockPlan) throws(Fault) -> Signature {
        var offset: Int64 = 0
        let signature = try Signature.make(plan, seed: .random(in: 0 ... .max)) { (piece) throws(Fault) in
            if context.control.shouldStop { throw .content(.stopped) }
            let count = try readBasis(into: piece, at: offset)
            offset += Int64(count)
            return count
        }
        guard let signature else { throw .basis }
        return signature
    }

    private func readBasis(into piece: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Fault) -> Int {
        do throws(FileFault) {
            return try OpenFile.read(descriptor: basis, into: piece, at: offset)
        } catch { throw .basis }
    }

    private func readSource(into piece: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
        if context.control.shouldStop { throw .content(.stopped) }
        let wanted = Int(min(metadata.size - readBytes, Int64(piece.count)))
        context.limiter?.spend(wanted, control: context.control)
        let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<wanted])
        let count: Int
        do throws(FileFault) {
            count = try OpenFile.read(descriptor: source, into: part, at: readBytes)
        } catch { throw .content(.read(error)) }
        if count != wanted { throw .content(.changed) }
        digest.update(UnsafeRawBufferPointer(part))
        readBytes += Int64(count)
        return count
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        let position = patch.count
        try add(bytes)
        try write(bytes, at: position)
    }

    private func add(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        do throws(Patch.Refusal) { try patch.add(bytes) } catch { throw .content(.changed) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(Fault) {
        do throws(FileFault) {
            try OpenFile.write(descriptor: target, bytes, at: position)
        } catch { throw .content(.write(error)) }
    }

    /// Takes a range of the older version over: by the file system where it can. Its bytes are read in any case, since the
    /// digest of the whole decides.
    private func copy(_ offset: Int64, _ count: Int64) throws(Fault) {
        let position = patch.count
        let takesRange = try takeRange(offset, count, to: position)
        var done: Int64 = 0
        while done < count {
            if context.control.shouldStop { throw .content(.stopped) }
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(count - done, Int64(buffer.count)))])
            if try readBasis(into: piece, at: offset + done) != piece.count { throw .basis }
            try add(UnsafeRawBufferPointer(piece))
            if !takesRange { try write(UnsafeRawBufferPointer(piece), at: position + done) }
            done += Int64(piece.count)
        }
    }

    /// False where the file system does not take ranges over.
    private func takeRange(_ offset: Int64, _ count: Int64, to position: Int64) throws(Fault) -> Bool {
        guard context.localDelta.takesRanges else { return false }
        var done: Int64 = 0
        while done < count {
            if context.control.shouldStop { throw .content(.stopped) }
            let moved: Int
            do throws(FileFault) {
                moved = try OpenFile.copyRange(
                    from: basis,
                    at: offset + done,
                    to: target,
                    at: position + done,
                    count: Int(min(count - done, 64 << 20))
                )
            } catch {
                guard error.kind == .unsupported || error.kind == .crossDevice else { throw .content(.write(error)) }
                context.localDelta.refuseRanges()
                return false
            }
            if moved == 0 { throw .basis }
            done += Int64(moved)
        }
        return true
    }
}

extension CopyVisitor {
    /// Makes a file from its older version where that pays; nil where it is to be copied whole.
    func buildFromOlder(
        _ name: EntryName,
        in node: DirectoryNode,
        replaces: Metadata?,
        from source: borrowing OpenFile,
        _ metadata: Metadata,
        to target: borrowing OpenFile,
        _ worker: CopyWorker
    ) throws(ContentFault) -> Digest? {
        guard let replaces, let plan = context.localDelta.plan(BytePath(name: name), metadata, replaces),
            let basis = try? node.target.openFile(name)
        else { return nil }
        let build = DeltaBuild(
            context,
            from: source.raw,
            metadata,
            basis: basis.raw,
            basisBytes: replaces.size,
            to: target.raw
        )
        guard let (digest, matchedBytes) = try build.run(plan) else {
            do throws(FileFault) { try target.truncate(to: 0) } catch { throw .write(error) }
            return nil
        }
        worker.tally.bytesMatched.add(Int(matchedBytes))
        context.localDelta.learn(BytePath(name: name), metadata, plan, matchedBytes: matchedBytes)
        return digest
    }
}
