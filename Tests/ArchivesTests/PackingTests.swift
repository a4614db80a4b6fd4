import Archives
import MediasyncTesting
import Testing

@Suite("Blocks that are packed") struct PackingTests {
    private static func pack(_ block: [UInt8]) -> [UInt8]? { block.withUnsafeBytes { BlockPacker().pack($0) } }

    private static func unpack(_ packed: [UInt8], to bytes: Int) -> [UInt8]? {
        packed.withUnsafeBytes { BlockUnpacker().unpack($0, to: bytes) }
    }

    private static let text = Array(String(repeating: "what compresses. ", count: 1000).utf8)

    @Test("come out as they were", arguments: [16, 100, 4096, 17_000])
    func roundTrip(count: Int) throws {
        let block = Array(Self.text.prefix(count))
        guard let packed = Self.pack(block) else {
            #expect(count < 100)
            return
        }
        #expect(packed.count <= count - count / 8)
        #expect(Self.unpack(packed, to: count) == block)
    }

    @Test("are not worth it where nothing is saved", arguments: [0, 1, 2, 100, 200_000])
    func noise(count: Int) {
        #expect(Self.pack(SeededGenerator.bytes(count, seed: 3)) == nil)
    }

    @Test("are refused where they are not as long as they say: less, more, far more")
    func wrongSizes() throws {
        let packed = try #require(Self.pack(Self.text))
        for size in [0, 1, Self.text.count - 1, Self.text.count + 1, 1 << 20] {
            #expect(Self.unpack(packed, to: size) == nil, "\(size)")
        }
        let bomb = try #require(Self.pack([UInt8](repeating: 0, count: 64 << 20)))
        #expect(bomb.count < 100_000 && Self.unpack(bomb, to: 1000) == nil)
    }

    @Test("are refused or are other bytes where they were changed", arguments: 1...4 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let packed = try #require(Self.pack(Self.text))
        for _ in 0..<500 {
            var changed = packed
            changed[Int.random(in: changed.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            if Bool.random(using: &random) {
                changed = Array(changed.prefix(Int.random(in: 0..<packed.count, using: &random)))
            }
            let block = Self.unpack(changed, to: Self.text.count)
            #expect(block == nil || block?.count == Self.text.count, "seed \(seed)")
        }
        #expect(Self.unpack([], to: 10) == nil)
        #expect(Self.unpack(SeededGenerator.bytes(100, seed: seed), to: 10) == nil)
    }

    private static func isTried(_ name: String, by policy: PackingPolicy) -> Bool {
        var policy = policy
        return policy.isWorthTrying(PackingPolicy.Ending(of: Array(name.utf8)))
    }

    @Test("are never of media")
    func media() {
        let policy = PackingPolicy()
        for name in ["a.jpg", "b.JPEG", "deep/c.x.Mp4", "d.gz"] { #expect(!Self.isTried(name, by: policy), "\(name)") }
        for name in ["a.json", "svg", "", "b.", "c.longerthananyending"] {
            #expect(Self.isTried(name, by: policy), "\(name)")
        }
    }

    @Test("endings are those of the last name, whatever their case")
    func endings() {
        let ending = { (name: String) in PackingPolicy.Ending(of: Array(name.utf8)) }
        #expect(ending("a.TXT") == "txt" && ending("a/b.c.txt") == "txt" && ending("a.abcdefgh") == "abcdefgh")
        #expect(ending("a.txt") != "tx" && ending("a.txt") != "xtxt")
        // None, and one that is too long.
        #expect(ending("txt") == ending("") && ending("a.d/txt") == ending("") && ending("a.abcdefghi") == ending("a."))
    }

    @Test("are tried in vain only so often, and again after some time")
    func learning() {
        var policy = PackingPolicy()
        var tries = 0
        for _ in 0..<1000 where policy.isWorthTrying("bin") {
            tries += 1
            policy.learn("bin", isSmaller: false)
        }
        #expect((5...40).contains(tries), "\(tries)")
        #expect(Self.isTried("a.txt", by: policy))
        policy.learn("bin", isSmaller: true)
        #expect(Self.isTried("a.bin", by: policy))
    }
}
