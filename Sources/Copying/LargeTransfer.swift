internal import Checksums
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// One large file, moved by several workers: each takes the next piece, reads it, waits its turn for the digest, and
/// writes it. Reading and writing (nearly all the time) run side by side; the digest still sees the bytes in order, so it
/// is the standard one of the whole file.
///
/// Sendable without checks: `digest` is touched only by the worker whose turn it is, and turns pass under the lock of
/// `state`. The descriptors stay open until `complete` returns, which waits for every helper.
final class LargeTransfer: Assistable, @unchecked Sendable {
    private struct State {
        /// The next piece nobody took.
        var next: Int64 = 0
        /// Where the digest stands.
        var digested: Int64 = 0
        var active = 0
        var fault: ContentFault?
    }

    private static let pieceBytes = 512 << 10
    /// More helpers only wait for memory.
    private static let helpersMax = 8

    private let source: Int32
    private let target: Int32
    private let size: Int64
    private let control: RunControl
    private let digests: Bool
    private let digest: StreamingDigest
    private let state = Monitor(State())

    init(source: Int32, target: Int32, size: Int64, digest: DigestAlgorithm?, control: RunControl) {
        self.source = source
        self.target = target
        self.size = size
        self.control = control
        digests = digest != nil
        self.digest = StreamingDigest(digest ?? .xxh3)
    }

    /// Works until all pieces are moved and every helper has left.
    func complete() throws(ContentFault) -> Digest? {
        assist()
        let fault = state.wait { state -> ContentFault?? in
            state.active == 0 ? .some(state.fault) : nil
        }
        if let fault { throw fault }
        return digests ? digest.finish() : nil
    }

    func assist() {
        let joined = state.withLock { state -> Bool in
            guard state.next < size, state.fault == nil, state.active < Self.helpersMax else { return false }
            state.active += 1
            return true
        }
        guard joined else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 4096)
        defer { buffer.deallocate() }
        do throws(ContentFault) {
            while let offset = takePiece() {
                try move(offset, UnsafeMutableRawBufferPointer(rebasing: buffer[..<length(at: offset)]))
            }
        } catch {
            state.withLock { if $0.fault == nil { $0.fault = error } }
        }
        state.withLock { $0.active -= 1 }
        state.wakeAll()
    }

    private func length(at offset: Int64) -> Int {
        Int(min(Int64(Self.pieceBytes), size - offset))
    }

    private func takePiece() -> Int64? {
        state.withLock { state in
            guard state.fault == nil, state.next < size else { return nil }
            if control.shouldStop {
                state.fault = .stopped
                return nil
            }
            defer { state.next += Int64(length(at: state.next)) }
            return state.next
        }
    }

    private func move(_ offset: Int64, _ buffer: UnsafeMutableRawBufferPointer) throws(ContentFault) {
        // Inside the kernel where it can: the bytes are then read for the digest only, and not written from here. That the
        // source stayed the same meanwhile is checked when all is done.
        let isCopied: Bool
        do throws(FileFault) {
            isCopied = try OpenFile.copyRange(from: source, to: target, at: offset, count: buffer.count)
        } catch {
            throw .write(error)
        }
        let count: Int
        do throws(FileFault) {
            count = try OpenFile.read(descriptor: source, into: buffer, at: offset)
        } catch {
            throw .read(error)
        }
        if count != buffer.count { throw .changed }
        if digests {
            let mayGoOn = state.wait { state -> Bool? in
                if state.fault != nil { return false }
                return state.digested == offset ? true : nil
            }
            guard mayGoOn else { return }
            digest.update(UnsafeRawBufferPointer(buffer))
            state.withLock { $0.digested = offset + Int64(buffer.count) }
            state.wakeAll()
        }
        if isCopied { return }
        do throws(FileFault) {
            try OpenFile.write(descriptor: target, UnsafeRawBufferPointer(buffer), at: offset)
        } catch {
            throw .write(error)
        }
    }
}
