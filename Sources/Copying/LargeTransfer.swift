internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Judges whether a large file is worth more than one thread. Where both ends are in memory it is not: writers of one file
/// take turns in the kernel, and 20 files of 100 MB went twice as fast with a thread each as with eight threads a file.
/// Where the thread waits most of its time, for a cold disk or a network, and processors idle, others fill the wait.
struct SharingTrial {
    /// Nanoseconds: the monotonic clock, this thread's time on a processor, that of all threads of the process.
    struct Clocks {
        let wall: Int64
        let thread: Int64
        let process: Int64

        static func now() -> Clocks {
            Clocks(
                wall: Host.monotonicNanoseconds(),
                thread: Host.threadNanoseconds(),
                process: Host.processorNanoseconds()
            )
        }
    }

    /// What is moved alone before it is judged, and what must be left for it to matter.
    static let bytes: Int64 = 32 << 20

    private let size: Int64
    private let processors: Int
    private var begin: Clocks?
    private var isDecided = false

    init(size: Int64, processors: Int) {
        self.size = size
        self.processors = processors
    }

    /// Asked before each piece; true at most once.
    mutating func wantsHelp(at done: Int64, idleWorkers: Int) -> Bool {
        if isDecided || size - done < Self.bytes { return false }
        guard let begin else {
            begin = .now()
            return false
        }
        if done < Self.bytes { return false }
        isDecided = true
        return idleWorkers > 0 && Self.waits(from: begin, to: .now(), processors: processors)
    }

    /// Whether a thread mostly waited, and not for a processor.
    static func waits(from begin: Clocks, to end: Clocks, processors: Int) -> Bool {
        let wall = end.wall - begin.wall
        return end.thread - begin.thread < wall / 2
            && end.process - begin.process < wall * Int64(processors) * 3 / 4
    }
}

/// The rest of one large file, moved by several workers: each takes the next piece, reads it, waits its turn for the
/// digest, and writes it. Reading and writing (nearly all the time) run side by side; the digest still sees the bytes in
/// order, so it is the standard one of the whole file.
///
/// Sendable without checks: `digest` is touched only by the worker whose turn it is, and turns pass under the lock of
/// `state`. The descriptors stay open until `complete` returns, which waits for every helper.
final class LargeTransfer: Assistable, @unchecked Sendable {
    private struct State {
        /// The next piece nobody took.
        var next: Int64
        /// Where the digest stands.
        var digested: Int64
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
    private let digest: ((UnsafeRawBufferPointer) -> Void)?
    private let state: Monitor<State>

    /// - Parameters:
    ///   - from: bytes that were moved already.
    ///   - digest: gets the other bytes, in order, one call at a time; nil where none is wanted.
    init(
        source: Int32,
        target: Int32,
        from: Int64,
        size: Int64,
        digest: ((UnsafeRawBufferPointer) -> Void)?,
        control: RunControl
    ) {
        self.source = source
        self.target = target
        self.size = size
        self.control = control
        self.digest = digest
        state = Monitor(State(next: from, digested: from))
    }

    /// Works until all pieces are moved and every helper has left.
    func complete() throws(ContentFault) {
        assist()
        let fault = state.wait { state -> ContentFault?? in
            state.active == 0 ? .some(state.fault) : nil
        }
        if let fault { throw fault }
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
        let count: Int
        do throws(FileFault) {
            count = try OpenFile.read(descriptor: source, into: buffer, at: offset)
        } catch {
            throw .read(error)
        }
        if count != buffer.count { throw .changed }
        if let digest {
            let mayGoOn = state.wait { state -> Bool? in
                if state.fault != nil { return false }
                return state.digested == offset ? true : nil
            }
            guard mayGoOn else { return }
            digest(UnsafeRawBufferPointer(buffer))
            state.withLock { $0.digested = offset + Int64(buffer.count) }
            state.wakeAll()
        }
        do throws(FileFault) {
            try OpenFile.write(descriptor: target, UnsafeRawBufferPointer(buffer), at: offset)
        } catch {
            throw .write(error)
        }
    }
}
