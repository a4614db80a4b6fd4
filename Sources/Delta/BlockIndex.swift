/// Finds the blocks of a signature by their weak checksums.
///
/// A bit set answers for nearly all windows that there is no such block; behind it blocks lie sorted by weak checksum. Of
/// blocks with the same one only the first few are looked at: whoever wrote the file may have made them all alike.
struct BlockIndex {
    /// Blocks with one weak checksum that are compared.
    static let candidatesMax = 8

    /// For `mds_find_window`.
    let filter: [UInt64]
    let shift: Int32
    /// Numbers of blocks, sorted by weak checksum. The last block is not among them where it is shorter than the others.
    private let order: [UInt32]
    /// Where in `order` the blocks begin whose weak checksum has these upper bits.
    private let starts: [UInt32]
    private let startShift: UInt32

    init(_ signature: Signature) {
        let plan = signature.plan
        let count = plan.lastBytes == plan.blockBytes ? plan.blockCount : plan.blockCount - 1
        let weak = signature.weak
        order = (0..<UInt32(count)).sorted { (weak[Int($0)], $0) < (weak[Int($1)], $1) }
        // 128 bits for each block, of at least a page and at most 4 MiB: it is asked for every byte.
        var bits = 12
        while bits < 25, 1 << bits < count * 128 { bits += 1 }
        shift = Int32(32 - bits)
        var filter = [UInt64](repeating: 0, count: 1 << (bits - 6))
        // Two to the power of this many ranges, one block each on average.
        var ranges = 4
        while ranges < 21, 1 << ranges < count { ranges += 1 }
        startShift = UInt32(32 - ranges)
        var starts = [UInt32](repeating: 0, count: (1 << ranges) + 1)
        for block in order {
            let value = weak[Int(block)]
            let bit = value >> UInt32(32 - bits)
            filter[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
            starts[Int(value >> startShift) + 1] += 1
        }
        for range in 1..<starts.count { starts[range] += starts[range - 1] }
        self.filter = filter
        self.starts = starts
    }

    /// The first blocks with this weak checksum, as positions in `order`.
    func candidates(_ value: UInt32, _ signature: Signature) -> Range<Int> {
        let range = Int(value >> startShift)
        var low = Int(starts[range])
        var high = Int(starts[range + 1])
        let end = high
        // Few blocks share a range, unless somebody made it so.
        while low < high {
            let middle = (low + high) / 2
            if signature.weak[Int(order[middle])] < value { low = middle + 1 } else { high = middle }
        }
        var last = low
        while last < end, last - low < Self.candidatesMax, signature.weak[Int(order[last])] == value { last += 1 }
        return low..<last
    }

    func block(at position: Int) -> Int { Int(order[position]) }
}
