internal import Synchronization

/// A set of paths with what is known about each, found by bytes without making an array: one arena for the bytes and an
/// open-addressed table of indices.
struct PathTable: Sendable {
    /// What is known about a path.
    struct State: OptionSet, Sendable {
        let rawValue: UInt8
        /// Named by the list.
        static let listed = State(rawValue: 1)
        /// What lies directly in it is named too.
        static let contents = State(rawValue: 2)
        /// Something below it is named.
        static let ancestor = State(rawValue: 4)
    }

    /// How an entry of the list names its path.
    enum Listing {
        case entry, contents
    }

    private var arena: [UInt8] = []
    /// Where each path ends in the arena; it begins where the one before ends.
    private var ends: [Int] = []
    private var states: [State] = []
    /// Index + 1 of a path, 0 where free. A power of two, at most four fifths full.
    private var slots = [Int](repeating: 0, count: 16)
    private(set) var listedCount = 0

    var count: Int { ends.count }

    func state(_ entry: Int) -> State { states[entry] }

    func path(_ entry: Int) -> [UInt8] { Array(arena[range(entry)]) }

    private func range(_ entry: Int) -> Range<Int> { (entry == 0 ? 0 : ends[entry - 1])..<ends[entry] }

    /// Adds a path and its ancestors, the root included.
    mutating func insert(_ components: [ArraySlice<UInt8>], listing: Listing) {
        var path: [UInt8] = []
        for component in components {
            update(path, adding: .ancestor)
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path += component
        }
        update(path, adding: listing == .contents ? [.listed, .contents] : .listed)
    }

    /// The index of a path; nil where it is not in the set.
    func find(_ path: UnsafeBufferPointer<UInt8>) -> Int? {
        let entry = slots[slot(of: path)]
        return entry == 0 ? nil : entry - 1
    }

    private mutating func update(_ path: [UInt8], adding state: State) {
        let entry = path.withUnsafeBufferPointer { bytes in find(bytes) } ?? append(path)
        if state.contains(.listed), !states[entry].contains(.listed), !path.isEmpty { listedCount += 1 }
        states[entry].formUnion(state)
    }

    private mutating func append(_ path: [UInt8]) -> Int {
        if (ends.count + 1) * 5 > slots.count * 4 { grow() }
        arena += path
        ends.append(arena.count)
        states.append([])
        let place = path.withUnsafeBufferPointer { slot(of: $0) }
        slots[place] = ends.count
        return ends.count - 1
    }

    private mutating func grow() {
        slots = [Int](repeating: 0, count: slots.count * 2)
        for entry in ends.indices {
            let place = arena.withUnsafeBufferPointer { slot(of: UnsafeBufferPointer(rebasing: $0[range(entry)])) }
            slots[place] = entry + 1
        }
    }

    /// The slot that holds a path, or the free one where it belongs. Seeded per process by `Hasher`, so that a list
    /// cannot be made to collide.
    private func slot(of path: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(path))
        let mask = slots.count - 1
        var place = hasher.finalize() & mask
        while slots[place] != 0, !arena[range(slots[place] - 1)].elementsEqual(path) {
            place = (place + 1) & mask
        }
        return place
    }
}

/// One bit for each path of a table, set from any thread. The `Mutex` guards all bits.
final class PathMarks: Sendable {
    private let bits: Mutex<[UInt64]>

    init(count: Int) {
        bits = Mutex([UInt64](repeating: 0, count: count / 64 + 1))
    }

    func set(_ index: Int) {
        bits.withLock { $0[index / 64] |= 1 << UInt64(index % 64) }
    }

    func isSet(_ index: Int) -> Bool {
        bits.withLock { $0[index / 64] >> UInt64(index % 64) & 1 == 1 }
    }
}
