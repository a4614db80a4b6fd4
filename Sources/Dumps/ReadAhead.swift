internal import Archives
internal import MediaModel
internal import Pacing

/// Pieces of a text, one after the other.
protocol PieceSource: AnyObject {
    /// The next piece, valid until the next call; nil at the end.
    func next() throws(SyncError) -> UnsafeRawBufferPointer?

    /// Nothing more is wanted. Called once, whatever happened.
    func close()
}

/// Reads (and decompresses) on a thread of its own while the pieces before are looked at.
final class ReadAhead: PieceSource {
    /// Large enough that handing over costs nothing, small enough that two stay in the processor's cache.
    private static let pieceBytes = 1 << 20
    /// One that is looked at, one that is filled, and two so that neither waits for a hiccup of the other.
    private static let pieces = 4

    /// A buffer on its way around.
    ///
    /// Sendable without checks: one owner at a time, whoever took it from a queue.
    private final class Piece: @unchecked Sendable {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
        var count = 0
        var failure: SyncError?

        deinit {
            bytes.deallocate()
        }
    }

    /// The side that reads.
    ///
    /// Sendable without checks: `source` has one owner, the thread that runs this.
    private final class Filler: @unchecked Sendable {
        private let source: any ByteSource
        private let empty: BoundedQueue<Piece>
        private let filled: BoundedQueue<Piece>

        init(_ source: any ByteSource, empty: BoundedQueue<Piece>, filled: BoundedQueue<Piece>) {
            self.source = source
            self.empty = empty
            self.filled = filled
        }

        /// Ends at the end of the source, at an error, or when the queues are closed.
        func run() {
            while let piece = empty.take() {
                fill(piece)
                let isLast = piece.count == 0
                if !filled.offer(piece) || isLast { break }
            }
            filled.close()
        }

        private func fill(_ piece: Piece) {
            piece.count = 0
            do throws(SyncError) {
                while piece.count < piece.bytes.count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: piece.bytes[piece.count...])
                    let count = try source.read(into: rest)
                    if count == 0 { return }
                    piece.count += count
                }
            } catch {
                // What was read before the error is not looked at: the dump is broken anyway.
                piece.count = 0
                piece.failure = error
            }
        }
    }

    private let empty = BoundedQueue<Piece>(capacity: pieces)
    private let filled = BoundedQueue<Piece>(capacity: pieces)
    private let pool = WorkerPool(threads: 1)
    private var current: Piece?

    /// - Parameter source: belongs to the other thread from here on.
    init(_ source: any ByteSource) {
        for _ in 0..<Self.pieces { _ = empty.offer(Piece()) }
        let filler = Filler(source, empty: empty, filled: filled)
        Task(executorPreference: pool) { filler.run() }
    }

    func next() throws(SyncError) -> UnsafeRawBufferPointer? {
        if let current { _ = empty.offer(current) }
        current = filled.take()
        guard let current else { return nil }
        if let failure = current.failure { throw failure }
        return current.count > 0 ? UnsafeRawBufferPointer(rebasing: current.bytes[..<current.count]) : nil
    }

    func close() {
        empty.close()
        filled.close()
        pool.shutDown()
    }
}
