import MediaModel
import MediasyncTesting
import Testing
import Wire

/// The decoder against bytes that no honest peer sends.
@Suite("A decoder that is fed anything")
struct HostileFrameTests {
    private static let rounds = 4000

    @Test("neither traps nor keeps more than it was fed: changed frames", arguments: 1...6 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let frames = Samples.all.map { $0.encoded() }
        var understood = 0
        for _ in 0..<Self.rounds {
            var frame = frames[Int.random(in: frames.indices, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.change(&frame, &random) }
            understood += Self.survives(frame)
        }
        // Some changes only change a value: were none understood, nothing behind the header was tried.
        #expect(understood > 50, "seed \(seed)")
        #expect(understood < Self.rounds, "seed \(seed)")
    }

    @Test(
        "neither traps nor keeps more than it was fed: noise behind each kind",
        arguments: 0...255 as ClosedRange<UInt8>
    )
    func noise(kind: UInt8) {
        var random = SeededGenerator(seed: UInt64(kind) + 100)
        for length in 0..<60 {
            let payload = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = Self.survives([UInt8(length), 0, 0, 0, kind] + payload)
        }
    }

    private static func change(_ frame: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0..<max(1, frame.count), using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where !frame.isEmpty: frame[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where !frame.isEmpty: frame[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: frame.insert(UInt8.random(in: 0...255, using: &random), at: min(place, frame.count))
        case 3 where !frame.isEmpty: frame.remove(at: place)
        case 4: frame.replaceSubrange(place..<min(frame.count, place + 10), with: repeatElement(0xFF, count: 10))
        default: frame = Array(frame.prefix(place))
        }
        // With a length that fits, what is behind the header is looked at.
        if frame.count >= WireLimit.headerBytes, Bool.random(using: &random) {
            let length = frame.count - WireLimit.headerBytes
            for index in 0..<4 { frame[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        }
    }

    /// 1 where a message came out. What comes out is encoded again without a trap, and says the same then.
    private static func survives(_ bytes: [UInt8]) -> Int {
        guard let messages = try? FrameDecoder.messages(in: bytes) else { return 0 }
        for message in messages {
            if case .hello(let hello) = message, hello.version != WireLimit.version { continue }
            if case .join(let join) = message, join.version != WireLimit.version { continue }
            let again = try? FrameDecoder.messages(in: message.encoded())
            #expect(again?.map { $0.encoded() } == [message.encoded()])
        }
        return messages.isEmpty ? 0 : 1
    }
}
