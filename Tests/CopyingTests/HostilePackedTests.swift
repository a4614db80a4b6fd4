import Archives
import Glibc
import MediaModel
import MediasyncTesting
import Storage
import Testing
import Wire

@testable import Copying

/// The reader against packed frames that no honest peer sends.
@Suite("A reader that is fed packed frames of any kind")
struct HostilePackedTests {
    private static let rounds = 120
    private static let pipeBytes = 60_000

    @Test(
        "neither traps nor says more than was packed: changed before they were packed, and after",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func mutations(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var wholes = 0
        var refused = 0
        for _ in 0..<Self.rounds {
            var frames = Self.frames(&random)
            if Bool.random(using: &random) { Self.change(&frames, &random) }
            // What cannot be made smaller is not sent packed.
            guard var block = frames.withUnsafeBytes({ BlockPacker().pack($0) }) else { continue }
            if Int.random(in: 0..<3, using: &random) == 0 { Self.change(&block, &random) }
            let count =
                Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...500_000, using: &random) : frames.count
            let bytes = WireLimit.magic + Message.packed(bytes: count, block).encoded()
            guard bytes.count <= Self.pipeBytes else { continue }
            switch try Self.read(bytes) {
            case .success(let messages):
                wholes += 1
                #expect(messages.count * WireLimit.headerBytes <= frames.count)
            case .failure(let error):
                refused += 1
                #expect(error.code == .unusable, "\(error)")
            }
        }
        #expect(wholes > 20 && refused > 20, "\(wholes) understood, \(refused) refused")
    }

    private static func frames(_ random: inout SeededGenerator) -> [UInt8] {
        let some: [Message] = [
            .directoryEnd(id: UInt32.random(in: 0...1000, using: &random), bundles: 0, .listed),
            .stage("walk"), .joined,
            .stage(String(repeating: "y", count: Int.random(in: 0...3000, using: &random))),
        ]
        return (0..<Int.random(in: 40...120, using: &random)).flatMap { _ in
            some[Int.random(in: some.indices, using: &random)].encoded()
        }
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 2: bytes.remove(at: place)
            default: bytes.removeLast(min(bytes.count, Int.random(in: 1...20, using: &random)))
            }
        }
    }

    /// All that a reader makes of these bytes.
    private static func read(_ bytes: [UInt8]) throws -> Result<[Message], SyncError> {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        try bytes.withUnsafeBytes { try StreamEnd(raw: ends[1]).write($0) }
        close(ends[1])
        let reader = FrameReader(StreamEnd(raw: ends[0]))
        var messages: [Message] = []
        do throws(SyncError) {
            while let message = try reader.next() { messages.append(message) }
            return .success(messages)
        } catch {
            return .failure(error)
        }
    }
}
