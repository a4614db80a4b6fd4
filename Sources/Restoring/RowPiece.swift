internal import Dumps

/// Memory for rows on their way from the reader to a connection. One owner at a time: the reader fills it, the queue hands
/// it on, a connection empties it.
///
/// Sendable without checks: there is one owner at every moment; the locks of `PieceStore` and of the queue are between
/// two owners.
final class PieceBuffer: @unchecked Sendable {
    private(set) var memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }
    var room: Int { memory.count - count }

    /// Adds bytes behind those that are there; there must be room.
    func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    func clear() { count = 0 }
}

/// Work for one connection: whole rows of one table.
struct RowPiece: Sendable {
    enum Content: Sendable {
        /// - Parameter line: in the dump, of the first row.
        case rows(PieceBuffer, count: Int, line: Int)
        case inserts([DumpStatement])
    }

    let table: TableLoad
    let content: Content
    /// How many settings of the dump stand before it.
    let settings: Int
}
