internal import CDelta
internal import Checksums

/// What is known of a file elsewhere: for each of its blocks a weak and a strong checksum.
package struct Signature: Sendable, Equatable {
    package let plan: BlockPlan
    /// Chosen anew for each file by whoever asks for its signature.
    package let seed: UInt64
    package internal(set) var weak: [UInt32]
    /// As many of their lower bytes as the plan says.
    package internal(set) var strong: [UInt64]

    /// A signature that somebody else made; nil where it has not one checksum of each kind for each block.
    package init?(plan: BlockPlan, seed: UInt64, weak: [UInt32], strong: [UInt64]) {
        guard weak.count == plan.blockCount, strong.count == plan.blockCount else { return nil }
        self.plan = plan
        self.seed = seed
        self.weak = weak
        self.strong = strong.map { $0 & plan.strongMask }
    }

    /// Reads a file from its begin to its end.
    /// - Parameter read: fills a buffer with the next bytes, as many as there are up to its size; 0 at the end.
    /// - Returns: nil where the file has another length than the plan says: it changed.
    package static func make<Failure: Error>(
        _ plan: BlockPlan,
        seed: UInt64,
        read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Signature? {
        var builder = SignatureBuilder(plan, seed: seed)
        let blocks = max(1, (1 << 20) / plan.blockBytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blocks * plan.blockBytes, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            var filled = 0
            while filled < buffer.count {
                let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
                if count == 0 { break }
                filled += count
            }
            builder.add(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
            if filled < buffer.count { return builder.finish() }
        }
    }

    /// How much of a block's checksum is strong: the weak one is always whole.
    static func strong(_ bytes: UnsafeRawBufferPointer, _ plan: BlockPlan, _ seed: UInt64) -> UInt64 {
        BlockChecksum.strong(bytes, seed: seed) & plan.strongMask
    }

    static func weak(_ bytes: UnsafeRawBufferPointer) -> UInt32 { mds_weak(sums(bytes)) }

    static func sums(_ bytes: UnsafeRawBufferPointer) -> mds_window_sums {
        guard let base = bytes.baseAddress else { return mds_window_sums(plain: 0, weighed: 0) }
        return mds_sums_of(base.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
}

/// Takes whole blocks in their order.
private struct SignatureBuilder {
    private var signature: Signature
    private var bytes: Int64 = 0
    private var isOver = false

    init(_ plan: BlockPlan, seed: UInt64) {
        signature = Signature(empty: plan, seed: seed)
    }

    mutating func add(_ buffer: UnsafeRawBufferPointer) {
        let plan = signature.plan
        var start = 0
        while start < buffer.count {
            let end = min(buffer.count, start + plan.blockBytes)
            guard signature.weak.count < plan.blockCount else {
                isOver = true
                return
            }
            let block = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
            signature.weak.append(Signature.weak(block))
            signature.strong.append(Signature.strong(block, plan, signature.seed))
            bytes += Int64(block.count)
            start = end
        }
    }

    func finish() -> Signature? { isOver || bytes != signature.plan.fileBytes ? nil : signature }
}

extension Signature {
    fileprivate init(empty plan: BlockPlan, seed: UInt64) {
        self.plan = plan
        self.seed = seed
        weak = []
        strong = []
        weak.reserveCapacity(plan.blockCount)
        strong.reserveCapacity(plan.blockCount)
    }
}
