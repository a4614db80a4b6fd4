extension Signature {
    /// Bytes of one block's checksums as they are sent: four of the weak one, then as many of the strong one as are kept.
    package static func bytesEach(_ plan: BlockPlan) -> Int { 4 + plan.strongBytes }

    /// The checksums of some blocks as they are sent, the lowest byte first.
    package func bytes(of blocks: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks.count * Self.bytesEach(plan))
        for block in blocks {
            for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: weak[block] >> UInt32(8 * index))) }
            for index in 0..<plan.strongBytes {
                bytes.append(UInt8(truncatingIfNeeded: strong[block] >> UInt64(8 * index)))
            }
        }
        return bytes
    }
}

/// Puts a signature together from what somebody else sends of it, piece by piece. It never takes more than the plan has.
package struct SignatureCollector: Sendable {
    package let plan: BlockPlan
    private let seed: UInt64
    private var weak: [UInt32] = []
    private var strong: [UInt64] = []

    package init(_ plan: BlockPlan, seed: UInt64) {
        self.plan = plan
        self.seed = seed
    }

    package var isComplete: Bool { weak.count == plan.blockCount }

    /// Takes the checksums of the next blocks. False where they are cut, or of more blocks than there are.
    package mutating func add(_ bytes: [UInt8]) -> Bool {
        let each = Signature.bytesEach(plan)
        guard bytes.count.isMultiple(of: each), bytes.count / each <= plan.blockCount - weak.count else { return false }
        for start in stride(from: 0, to: bytes.count, by: each) {
            weak.append((0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
            strong.append((0..<plan.strongBytes).reduce(0) { $0 | UInt64(bytes[start + 4 + $1]) << UInt64(8 * $1) })
        }
        return true
    }

    /// The signature; nil where blocks are missing.
    package func finish() -> Signature? {
        isComplete ? Signature(plan: plan, seed: seed, weak: weak, strong: strong) : nil
    }
}
