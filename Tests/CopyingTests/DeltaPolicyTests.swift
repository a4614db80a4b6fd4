import MediaModel
import Testing

@testable import Copying

/// For which files an older version is described.
@Suite("Whether it pays to look for what is new in a file") struct DeltaPolicyTests {
    private static let large: Int64 = 1 << 20

    @Test(
        "is told by sizes alone at first",
        arguments: [
            // Small files are sent faster than looked through.
            (16 << 10, 16 << 10, true), ((16 << 10) - 1, 16 << 10, false), (16 << 10, (16 << 10) - 1, false),
            (1 << 20, 1 << 20, true), (1 << 30, 1 << 30, true), (20_000, 1 << 30, true),
            // The checksums of a long file are more than a short one saves.
            (1 << 30, 20_000, false), (100 << 20, 1 << 20, true),
            (0, 1 << 20, false), (1 << 20, 0, false), (Int64.max, 1 << 20, false),
        ] as [(Int64, Int64, Bool)]
    )
    func sizes(old: Int64, new: Int64, expected: Bool) {
        var policy = DeltaPolicy(.auto)
        #expect((policy.plan(BytePath("a.png"), oldBytes: old, newBytes: new) != nil) == expected)
    }

    @Test("is no question where it was said", arguments: [1, 100, 1 << 20, 1 << 40] as [Int64])
    func modes(bytes: Int64) {
        var always = DeltaPolicy(.always)
        var never = DeltaPolicy(.never)
        #expect(always.plan(BytePath("a"), oldBytes: bytes, newBytes: 1) != nil)
        #expect(never.plan(BytePath("a"), oldBytes: bytes, newBytes: bytes) == nil)
        #expect(always.plan(BytePath("a"), oldBytes: 0, newBytes: bytes) == nil)
        #expect(always.plan(BytePath("a"), oldBytes: bytes, newBytes: 0) == nil)
    }

    @Test("is learned by kind: what had little in common comes whole, but for one in 32")
    func learning() {
        var policy = DeltaPolicy(.auto)
        let tried = { (policy: inout DeltaPolicy, name: String, old: Int64) in
            policy.plan(BytePath(name), oldBytes: old, newBytes: Self.large) != nil
        }
        let kind = DeltaPolicy.Kind(BytePath("x.JPG"), keepsSize: true)
        for _ in 0..<7 { policy.learn(kind, bytes: Self.large, matchedBytes: 0) }
        #expect(tried(&policy, "a.jpg", Self.large))
        policy.learn(kind, bytes: Self.large, matchedBytes: 1000)
        let later = (1...96).filter { _ in tried(&policy, "a.jpg", Self.large) }
        #expect(later == [32, 64, 96])
        #expect(policy.isPoor(kind))
        // Other kinds are not told by it.
        #expect(tried(&policy, "a.png", Self.large))
        #expect(tried(&policy, "a.jpg", Self.large - 1))
        #expect(tried(&policy, "jpg", Self.large))
        // What is there after all brings them back.
        policy.learn(kind, bytes: Self.large, matchedBytes: Self.large)
        #expect(tried(&policy, "a.jpg", Self.large) && !policy.isPoor(kind))
    }

    @Test("is not learned from a few bytes")
    func fewBytes() {
        var policy = DeltaPolicy(.auto)
        let kind = DeltaPolicy.Kind(BytePath("a.jpg"), keepsSize: true)
        for _ in 0..<20 { policy.learn(kind, bytes: 20_000, matchedBytes: 0) }
        #expect(policy.plan(BytePath("a.jpg"), oldBytes: 20_000, newBytes: 20_000) != nil)
    }

    @Test("is remembered of a few hundred kinds, whatever names there are")
    func manyKinds() {
        var policy = DeltaPolicy(.auto)
        let last = BytePath("a.9999")
        for number in 0..<10_000 {
            let kind = DeltaPolicy.Kind(BytePath("a.\(number)"), keepsSize: true)
            for _ in 0..<8 { policy.learn(kind, bytes: Self.large, matchedBytes: 0) }
        }
        #expect(policy.plan(last, oldBytes: Self.large, newBytes: Self.large) != nil)
        #expect(policy.plan(BytePath("a.0"), oldBytes: Self.large, newBytes: Self.large) == nil)
    }
}
