internal import Checksums
internal import MediaModel
internal import MediasyncTesting
internal import Testing

@testable internal import Delta

@Suite struct DeltaTests {
    /// Hands bytes out in pieces of odd sizes, as a pipe does.
    private struct Pieces {
        let bytes: [UInt8]
        var at = 0
        var most = Int.max

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(buffer.count, bytes.count - at, most)
            bytes[at..<at + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
            at += count
            return count
        }
    }

    private func signature(_ bytes: [UInt8], plan: BlockPlan? = nil, seed: UInt64 = 7) throws -> Signature {
        var pieces = Pieces(bytes: bytes, most: 100_003)
        let plan = try #require(plan ?? BlockPlan(fileBytes: Int64(bytes.count)))
        return try #require(Signature.make(plan, seed: seed) { pieces.read(into: $0) })
    }

    /// What is told of `new` by the signature of `old`, and the file that is built of it.
    private func rebuild(
        _ new: [UInt8],
        from old: [UInt8],
        plan: BlockPlan? = nil,
        piecesOf most: Int = .max
    ) throws -> (bytes: [UInt8], figures: DeltaFigures, pieces: Int) {
        let scanner = DeltaScanner(try signature(old, plan: plan))
        var input = Pieces(bytes: new, most: most)
        var built: [UInt8] = []
        var pieces = 0
        let figures = scanner.scan(read: { input.read(into: $0) }) { piece in
            pieces += 1
            switch piece {
            case .copy(let offset, let count): built += old[Int(offset)..<Int(offset + count)]
            case .literal(let bytes):
                #expect(bytes.count <= DeltaScanner.literalBytesMax)
                built += bytes
            }
        }
        return (built, figures, pieces)
    }

    private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { buffer in
            for index in stride(from: 0, to: count - 8, by: 8) {
                buffer.storeBytes(of: random.next() as UInt64, toByteOffset: index, as: UInt64.self)
            }
        }
        return bytes
    }

    /// A change of a file, by name.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Bytes that may have to be sent, of a file of 3,000,000.
        let literalsMax: Int64
        let apply: @Sendable (inout [UInt8]) -> Void

        init(_ name: String, literals: Int64, _ apply: @escaping @Sendable (inout [UInt8]) -> Void) {
            testDescription = name
            literalsMax = literals
            self.apply = apply
        }
    }

    private static let block: Int64 = 1728

    static let changes = [
        Change("nothing", literals: 0) { _ in },
        Change("one byte in the middle", literals: 2 * block) { $0[1_500_000] ^= 1 },
        Change("one byte in front", literals: block + 1) { $0.insert(9, at: 0) },
        Change("a thousand bytes in the middle", literals: 2 * block + 1000) {
            $0.insert(contentsOf: noise(1000, seed: 3), at: 777_777)
        },
        Change("the first byte gone", literals: block) { $0.removeFirst() },
        Change("appended", literals: 5000 + 2 * block) { $0 += noise(5000, seed: 4) },
        Change("cut", literals: block) { $0.removeLast(1_000_001) },
        Change("two halves exchanged", literals: 4 * block) { $0 = Array($0[1_500_000...] + $0[..<1_500_000]) },
        Change("edited in ten places", literals: 20 * block) { bytes in
            for place in 1...10 { bytes[place * 271_828] ^= 0xFF }
        },
        Change("other altogether", literals: 3_000_000) { $0 = noise(3_000_000, seed: 5) },
        Change("empty", literals: 0) { $0 = [] },
        Change("shorter than a block", literals: 100) { $0 = Array($0[500..<600]) },
    ]

    @Test("what is built is the new file, and little is sent", arguments: changes)
    func change(change: Change) throws {
        let old = Self.noise(3_000_000, seed: 1)
        var new = old
        change.apply(&new)
        let result = try rebuild(new, from: old)
        #expect(result.bytes == new)
        #expect(result.figures.literalBytes <= change.literalsMax, "\(result.figures)")
        #expect(result.figures.literalBytes + result.figures.matchedBytes == Int64(new.count))
    }

    @Test("it does not matter in what pieces the file is read", arguments: [1000, 4096, 65_537, 1 << 20])
    func pieces(most: Int) throws {
        let old = Self.noise(700_000, seed: 8)
        var new = old
        new.insert(contentsOf: [1, 2, 3], at: 350_000)
        let result = try rebuild(new, from: old, piecesOf: most)
        #expect(result.bytes == new)
        #expect(result.figures.literalBytes < 3000)
    }

    @Test("random edits of random files of many lengths come out right", arguments: Array(UInt64(1)...60))
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = [1, 2, 63, 64, 65, 703, 704, 705, 5000, 40_000, 300_000].randomElement(using: &random) ?? 1
        // Few different bytes make many equal blocks.
        let kinds = [2, 256].randomElement(using: &random) ?? 2
        let old = (0..<count).map { _ in UInt8(Int.random(in: 0..<kinds, using: &random)) }
        var new = old
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let place = Int.random(in: 0...new.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: new.insert(contentsOf: old.prefix(Int.random(in: 0...999, using: &random)), at: place)
            case 1: new.removeSubrange(place..<min(new.count, place + Int.random(in: 0...999, using: &random)))
            default: if place < new.count { new[place] &+= 1 }
            }
        }
        let plan = BlockPlan(fileBytes: Int64(count), blockBytes: 64, strongBytes: 8)
        #expect(try rebuild(new, from: old, plan: plan).bytes == new, "seed \(seed)")
        #expect(try rebuild(new, from: old).bytes == new, "seed \(seed)")
    }

    @Test("files of one byte, over and over, are one copy")
    func zeros() throws {
        let result = try rebuild([UInt8](repeating: 0, count: 5_000_000), from: [UInt8](repeating: 0, count: 4_000_000))
        #expect(result.figures.literalBytes < 2 * 2000)
        #expect(result.bytes == [UInt8](repeating: 0, count: 5_000_000))
    }

    @Test("equal weak checksums do not make it slow: strong ones in vain are bounded by the file's length")
    func hostile() throws {
        // All blocks have the weak checksum of a block of zeros, and none its content: a byte of plus one and two of minus
        // a half cancel each other out in both sums.
        let plan = try #require(BlockPlan(fileBytes: 1 << 20, blockBytes: 1024, strongBytes: 8))
        let zeros = Signature.weak([UInt8](repeating: 0, count: 1024).withUnsafeBytes { $0 })
        let old = try #require(
            Signature(
                plan: plan,
                seed: 1,
                weak: [UInt32](repeating: zeros, count: 1024),
                strong: (0..<1024).map { UInt64($0) }
            )
        )
        let new = [UInt8](repeating: 0, count: 64 << 20)
        var input = Pieces(bytes: new)
        var told: Int64 = 0
        let figures = DeltaScanner(old).scan(read: { input.read(into: $0) }) { piece in
            if case .literal(let bytes) = piece { told += Int64(bytes.count) }
        }
        #expect(told == 64 << 20)
        // Each costs a block: five times the file at most, with the start.
        #expect(Int64(figures.falseAlarms) * 1024 < 5 * (64 << 20) + (17 << 20))
    }

    @Test("a signature is of its seed: nobody can prepare blocks for it")
    func seeds() throws {
        let bytes = Self.noise(10_000, seed: 2)
        #expect(try signature(bytes, seed: 1).strong != signature(bytes, seed: 2).strong)
        #expect(try signature(bytes, seed: 1) == signature(bytes, seed: 1))
    }

    @Test("a file that changed its length while it was read has no signature")
    func changedLength() throws {
        let plan = try #require(BlockPlan(fileBytes: 10_000))
        for count in [9_999, 10_001, 0, 30_000] {
            var pieces = Pieces(bytes: Self.noise(max(count, 1), seed: 3))
            if count == 0 { pieces = Pieces(bytes: []) }
            #expect(Signature.make(plan, seed: 1) { pieces.read(into: $0) } == nil, "\(count)")
        }
    }

    @Test(
        "blocks grow with files, and checksums with what could be mistaken",
        arguments: [
            (1, 704, 2), (100_000, 704, 2), (3_000_000, 1728, 3), (100 << 20, 10_240, 4), (1 << 30, 32_768, 5),
            (1 << 34, 131_072, 6), (1 << 40, 524_288, 7),
        ] as [(Int64, Int, Int)]
    )
    func plans(bytes: Int64, block: Int, strong: Int) throws {
        let plan = try #require(BlockPlan(fileBytes: bytes))
        #expect(plan.blockBytes == block)
        #expect(plan.strongBytes == strong)
        #expect(plan.blockCount <= BlockPlan.blocksMax)
        #expect(plan.offset(of: plan.blockCount - 1) + Int64(plan.lastBytes) == bytes)
        #expect(BlockPlan(fileBytes: bytes, blockBytes: plan.blockBytes, strongBytes: plan.strongBytes) == plan)
    }

    @Test("plans and signatures of strangers are looked at before they are used")
    func strangers() throws {
        #expect(BlockPlan(fileBytes: 0) == nil && BlockPlan(fileBytes: -1) == nil && BlockPlan(fileBytes: .max) == nil)
        for (bytes, block, strong) in [
            (1000, 0, 4), (1000, 63, 4), (1000, 1 << 25, 4), (1000, 704, 1), (1000, 704, 9), (1 << 40, 64, 8),
            (-1, 704, 4), (Int64.max, 704, 4),
        ] as [(Int64, Int, Int)] {
            #expect(
                BlockPlan(fileBytes: bytes, blockBytes: block, strongBytes: strong) == nil,
                "\(bytes) \(block) \(strong)"
            )
        }
        let plan = try #require(BlockPlan(fileBytes: 1000))
        #expect(Signature(plan: plan, seed: 0, weak: [1], strong: [1, 2]) == nil)
        #expect(Signature(plan: plan, seed: 0, weak: [1], strong: [1]) == nil)
        #expect(Signature(plan: plan, seed: 0, weak: [1, 2], strong: [.max, 2])?.strong == [0xFFFF, 2])
    }

    @Test("a signature is the same after it was sent in pieces", arguments: [1, 3, 1000])
    func sent(blocksEach: Int) throws {
        let signature = try signature(Self.noise(1_000_000, seed: 6), seed: .max)
        let plan = signature.plan
        var collector = SignatureCollector(plan, seed: .max)
        for start in stride(from: 0, to: plan.blockCount, by: blocksEach) {
            #expect(!collector.isComplete && collector.finish() == nil)
            let bytes = signature.bytes(of: start..<min(plan.blockCount, start + blocksEach))
            let isTaken = collector.add(bytes)
            #expect(isTaken)
        }
        #expect(collector.finish() == signature)
    }

    @Test("checksums that are cut, or of more blocks than there are, are refused")
    func strangeSums() throws {
        let signature = try signature(Self.noise(3000, seed: 6))
        let bytes = signature.bytes(of: 0..<signature.plan.blockCount)
        for sums in [Array(bytes.dropLast()), bytes + bytes, [0]] {
            var collector = SignatureCollector(signature.plan, seed: 7)
            let isTaken = collector.add(sums)
            #expect(!isTaken)
            #expect(collector.finish() == nil)
        }
    }

    @Test("a patch refuses what lies outside the older version or beyond the new one, and knows when it is not whole")
    func patch() throws {
        var patch = Patch(oldBytes: 100, newBytes: 50)
        for (offset, count) in [(-1, 5), (96, 5), (101, 1), (0, 0), (0, -5), (.max, 5), (5, .max)] as [(Int64, Int64)] {
            #expect(throws: Patch.Refusal.outside, "\(offset) \(count)") { try patch.check(copyOf: offset, count) }
        }
        #expect(throws: Patch.Refusal.tooLong) { try patch.check(copyOf: 0, 51) }
        let bytes = [UInt8](repeating: 7, count: 49)
        try bytes.withUnsafeBytes { try patch.add($0) }
        #expect(patch.finish() == nil)
        #expect(throws: Patch.Refusal.tooLong) { try bytes.withUnsafeBytes { try patch.add($0) } }
        try [UInt8(7)].withUnsafeBytes { try patch.add($0) }
        let whole = StreamingDigest(.xxh3)
        [UInt8](repeating: 7, count: 50).withUnsafeBytes { whole.update($0) }
        #expect(patch.finish() == whole.finish())
    }

    @Test(
        "no more is sent than librsync sends with the same blocks",
        .enabled(if: Requirement.has("rdiff"), "needs rdiff"),
        arguments: changes
    )
    func oracle(change: Change) throws {
        let old = Self.noise(3_000_000, seed: 1)
        var new = old
        change.apply(&new)
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "old", old)
        try Disk.write(place.path / "new", new)
        let rdiff = Program("rdiff")
        try rdiff.check(["-b", "1728", "signature"], place.path / "old", place.path / "signature")
        try rdiff.check(["delta"], place.path / "signature", place.path / "new", place.path / "delta")
        try rdiff.check(["patch"], place.path / "old", place.path / "delta", place.path / "built")
        #expect(try Disk.read(place.path / "built") == new)
        let result = try rebuild(new, from: old)
        // An offset and a length for each piece, as an upper bound of what ours takes.
        let ours = Int(result.figures.literalBytes) + result.pieces * 9
        #expect(ours <= Int(try Disk.read(place.path / "delta").count) + 64, "\(result.figures)")
    }
}
