internal import Checksums
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Why a file's content could not be moved.
enum ContentFault: Error {
    case read(FileFault)
    case write(FileFault)
    /// More or fewer bytes than the source said it has.
    case changed
    /// The run was stopped.
    case stopped
}

/// Moves the content of one file after the other for one thread, digesting on the way. One owner.
final class ContentCopier {
    /// Bytes of the buffer. Files that fit are read and written in one call each; 64 KB to 1 MB could not be told apart, and there is one for each worker.
    static let bufferBytes = 128 << 10
    /// From this size on blocks are reserved first, so that a full disk shows before the work and not after it.
    private static let reservedBytes: Int64 = 16 << 20
    /// Below this size holes and clones cost more than they save.
    private static let plainBytes: Int64 = 32 << 10

    private let context: CopyContext
    private let buffer: UnsafeMutableRawBufferPointer
    private let digests: Bool
    private let streaming: StreamingDigest
    /// Where to ask for help with large files; nil where there are no other workers.
    private let queue: WalkQueue?

    init(context: CopyContext, queue: WalkQueue?) {
        self.context = context
        self.queue = queue
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4096)
        digests = context.options.digest != nil
        streaming = StreamingDigest(context.options.digest ?? .xxh3)
    }

    deinit {
        buffer.deallocate()
    }

    /// Copies `metadata.size` bytes; fewer or more in the source is a change.
    /// - Returns: the digest of what was read, where one is wanted.
    func copy(
        from source: borrowing OpenFile,
        _ metadata: Metadata,
        to target: borrowing OpenFile
    ) throws(ContentFault) -> Digest? {
        let size = metadata.size
        if metadata.isSparse, size > Self.plainBytes { return try copySparse(from: source, size, to: target) }
        if size >= Self.plainBytes, context.clonesBlocks.load(ordering: .relaxed) {
            if try clone(source, to: target) { return try digestOfClone(source, size) }
        }
        if size < Int64(buffer.count) { return try copySmall(from: source, Int(size), to: target) }
        if size >= Self.reservedBytes {
            do throws(FileFault) { try target.reserve(size) } catch { throw .write(error) }
        }
        if !digests, let moved = try copyInKernel(from: source, size, to: target) {
            if !moved { throw .changed }
            return nil
        }
        return try copyStream(from: source, size, to: target)
    }

    private func copySmall(
        from source: borrowing OpenFile,
        _ size: Int,
        to target: borrowing OpenFile
    ) throws(ContentFault) -> Digest? {
        context.limiter?.spend(size, control: context.control)
        // One more byte than there should be, so that growth shows and the end needs no second read.
        var count = try read(source, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(size + 1)]))
        // Some file systems (FUSE, NFS) give less than was asked for before the end.
        while count < size {
            let more = try read(source, into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<(size + 1)]))
            if more == 0 { break }
            count += more
        }
        if count != size { throw .changed }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if size > 0 { try write(bytes, to: target) }
        return digests ? streaming.digest(of: bytes) : nil
    }

    private func copyStream(
        from source: borrowing OpenFile,
        _ size: Int64,
        to target: borrowing OpenFile
    ) throws(ContentFault) -> Digest? {
        if digests { streaming.reset() }
        var done: Int64 = 0
        var trial = SharingTrial(size: size, processors: context.host.processors)
        while true {
            if context.control.shouldStop { throw .stopped }
            if let queue, context.limiter == nil, trial.wantsHelp(at: done, idleWorkers: queue.idleWorkers) {
                return try share(from: source, done, size, to: target, queue)
            }
            let count = try read(source, into: buffer)
            if count == 0 { break }
            done += Int64(count)
            if done > size { throw .changed }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            context.limiter?.spend(count, control: context.control)
            if digests { streaming.update(bytes) }
            try write(bytes, to: target)
        }
        if done != size { throw .changed }
        return digests ? streaming.finish() : nil
    }

    /// Goes on with others: the rest of a large file, where reading and writing wait for a disk or a network.
    private func share(
        from source: borrowing OpenFile,
        _ done: Int64,
        _ size: Int64,
        to target: borrowing OpenFile,
        _ queue: WalkQueue
    ) throws(ContentFault) -> Digest? {
        let transfer = LargeTransfer(
            source: source.raw,
            target: target.raw,
            from: done,
            size: size,
            digest: digests ? { [self] in streaming.update($0) } : nil,
            control: context.control
        )
        queue.offerAssistance(with: transfer)
        try transfer.complete()
        return digests ? streaming.finish() : nil
    }

    /// Nil where the kernel cannot do it here and nothing was moved; false where the source ended early.
    private func copyInKernel(
        from source: borrowing OpenFile,
        _ size: Int64,
        to target: borrowing OpenFile
    ) throws(ContentFault) -> Bool? {
        var done: Int64 = 0
        while done < size {
            if context.control.shouldStop { throw .stopped }
            let piece = Int(min(size - done, 8 << 20))
            context.limiter?.spend(piece, control: context.control)
            do throws(FileFault) {
                let count = try source.copyRange(to: target, at: done, count: piece)
                if count == 0 { return false }
                done += Int64(count)
            } catch {
                if done == 0, error.kind == .unsupported || error.kind == .crossDevice { return nil }
                throw .write(error)
            }
        }
        return true
    }

    /// Copies data and leaves holes as holes; the digest sees the zeros that a reader of either file sees.
    private func copySparse(
        from source: borrowing OpenFile,
        _ size: Int64,
        to target: borrowing OpenFile
    ) throws(ContentFault) -> Digest? {
        if digests { streaming.reset() }
        var done: Int64 = 0
        do throws(FileFault) { try target.truncate(to: size) } catch { throw .write(error) }
        while done < size {
            let start: Int64
            let end: Int64
            do throws(FileFault) {
                start = min(size, try source.nextData(from: done) ?? size)
                end = start < size ? min(size, try source.nextHole(from: start)) : size
            } catch { throw .read(error) }
            if digests, start > done { streaming.updateZeros(start - done) }
            done = start
            while done < end {
                if context.control.shouldStop { throw .stopped }
                let wanted = Int(min(end - done, Int64(buffer.count)))
                let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                let count: Int
                do throws(FileFault) { count = try source.readFully(into: piece, at: done) } catch {
                    throw .read(error)
                }
                if count != wanted { throw .changed }
                let bytes = UnsafeRawBufferPointer(piece)
                context.limiter?.spend(count, control: context.control)
                if digests { streaming.update(bytes) }
                do throws(FileFault) { try target.write(bytes, at: done) } catch { throw .write(error) }
                done += Int64(count)
            }
        }
        return digests ? streaming.finish() : nil
    }

    private func clone(_ source: borrowing OpenFile, to target: borrowing OpenFile) throws(ContentFault) -> Bool {
        do throws(FileFault) {
            if try source.clone(to: target) { return true }
        } catch { throw .write(error) }
        context.clonesBlocks.store(false, ordering: .relaxed)
        return false
    }

    private func digestOfClone(_ source: borrowing OpenFile, _ size: Int64) throws(ContentFault) -> Digest? {
        guard digests else { return nil }
        return try digest(of: source, size)
    }

    /// The digest of a file's first `size` bytes; fewer are a change. Bytes that came later show in the metadata, which
    /// callers compare.
    func digest(of file: borrowing OpenFile, _ size: Int64) throws(ContentFault) -> Digest {
        var done: Int64 = 0
        if size > Int64(buffer.count) { streaming.reset() }
        repeat {
            if context.control.shouldStop { throw .stopped }
            let wanted = Int(min(Int64(buffer.count), size - done))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count: Int
            do throws(FileFault) { count = try file.readFully(into: piece, at: done) } catch { throw .read(error) }
            if count != wanted { throw .changed }
            done += Int64(count)
            let bytes = UnsafeRawBufferPointer(piece)
            if size <= Int64(buffer.count) { return streaming.digest(of: bytes) }
            streaming.update(bytes)
        } while done < size
        return streaming.finish()
    }

    private func read(
        _ source: borrowing OpenFile,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(ContentFault) -> Int {
        do throws(FileFault) { return try source.read(into: buffer) } catch { throw .read(error) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to target: borrowing OpenFile) throws(ContentFault) {
        do throws(FileFault) { try target.write(bytes) } catch { throw .write(error) }
    }
}
