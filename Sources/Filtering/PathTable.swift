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

    /// The bytes of listed paths, one behind the other. An ancestor is the beginning of a path and takes no bytes.
    private var arena: [UInt8] = []
    private var starts: [Int] = []
    private var lengths: [UInt32] = []
    private var states: [State] = []
    /// Index + 1 of a path, 0 where free. A power of two, at most four fifths full.
    private var slots = [Int](repeating: 0, count: 16)
    private(set) var listedCount = 0

    /// - Parameter expectedBytes: room to make for the paths.
    init(expectedBytes: Int) {
        arena.reserveCapacity(expectedBytes)
    }

    var count: Int { starts.count }

    func state(_ entry: Int) -> State { states[entry] }

    func path(_ entry: Int) -> [UInt8] { Array(arena[range(entry)]) }

    private func range(_ entry: Int) -> Range<Int> { starts[entry]..<starts[entry] + Int(lengths[entry]) }

    /// Adds a path and its ancestors, the root included.
    mutating func insert(_ components: [ArraySlice<UInt8>], listing: Listing) {
        let start = arena.count
        arena += components.joined(separator: [UInt8(ascii: "/")])
        let known = count
        var end = arena.count
        if end > start, states(start..<end)?.contains(.listed) != true { listedCount += 1 }
        update(start..<end, adding: listing == .contents ? [.listed, .contents] : .listed)
        // From the bottom up: where an ancestor is known, all above it are.
        while end > start {
            end = arena[start..<end].lastIndex(of: UInt8(ascii: "/")) ?? start
            guard update(start..<end, adding: .ancestor) else { break }
        }
        if count == known { arena.removeSubrange(start...) }
    }

    /// The index of a path; nil where it is not in the set.
    func find(_ path: UnsafeBufferPointer<UInt8>) -> Int? {
        let entry = slots[slot(of: path)]
        return entry == 0 ? nil : entry - 1
    }

    private func find(_ range: Range<Int>) -> Int? {
        arena.withUnsafeBufferPointer { find(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    private func states(_ range: Range<Int>) -> State? { find(range).map { states[$0] } }

    /// Gives a path of the arena a state. False when it had the state already.
    @discardableResult
    private mutating func update(_ range: Range<Int>, adding state: State) -> Bool {
        let entry = find(range) ?? append(range)
        let before = states[entry]
        states[entry].formUnion(state)
        return states[entry] != before
    }

    private mutating func append(_ range: Range<Int>) -> Int {
        if (count + 1) * 5 > slots.count * 4 { grow() }
        starts.append(range.lowerBound)
        lengths.append(UInt32(range.count))
        states.append([])
        slots[slot(of: range)] = count
        return count - 1
    }

    private mutating func grow() {
        slots = [Int](repeating: 0, count: slots.count * 2)
        for entry in 0..<count { slots[slot(of: range(entry))] = entry + 1 }
    }

    private func slot(of range: Range<Int>) -> Int {
        arena.withUnsafeBufferPointer { slot(of: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// The slot that holds a path, or the free one where it belongs. Seeded per process by `Hasher`, so that a list
    /// cannot be made to collide.
    private func slot(of path: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(path))
        let mask = slots.count - 1
        var place = hasher.finalize() & mask
        return arena.withUnsafeBufferPointer { arena in
            while slots[place] != 0 {
                let entry = slots[place] - 1
                if Int(lengths[entry]) == path.count,
                    UnsafeBufferPointer(rebasing: arena[range(entry)]).elementsEqual(path)
                {
                    break
                }
                place = (place + 1) & mask
            }
            return place
        }
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
