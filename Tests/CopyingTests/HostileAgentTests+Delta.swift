import Checksums
import Copying
import Delta
import MediaModel
import MediasyncTesting
import Running
import Testing
import Wire

/// A far end that lies about what is new in a file. The target's version stays, whatever it says.
extension HostileAgentTests {
    private static let old = SeededGenerator.bytes(100_000, seed: 1)
    private static let new = SeededGenerator.bytes(5000, seed: 2)
    private static let reference = WireReference(batch: 0, index: 0)
    private static let zero = Digest(algorithm: .xxh3, bytes: [UInt8](repeating: 0, count: 16))

    private static var options: CopyOptions {
        var options = CopyOptions()
        options.delta = .always
        return options
    }

    private static func bytes(_ messages: [Message]) -> Int { messages.reduce(0) { $0 + $1.encoded().count } }

    /// What the receiver says when it wants the file: how long its description is, is known beforehand.
    private static var described: Int {
        guard let plan = BlockPlan(fileBytes: Int64(old.count)) else { return 0 }
        let basis = WireBasis(
            reference: reference,
            fileBytes: plan.fileBytes,
            blockBytes: UInt32(plan.blockBytes),
            strongBytes: UInt8(plan.strongBytes),
            seed: 0,
            sums: [UInt8](repeating: 0, count: plan.blockCount * Signature.bytesEach(plan))
        )
        return bytes([.want(Want(batch: 0, items: [.init(index: 0, hasBasis: true)])), .basis(basis)])
    }

    private static func sent(_ content: WireFile.Content, size: Int64) -> Message {
        .file(
            WireFile(
                reference: reference,
                metadata: metadata(0o100644, size: size),
                attributes: [],
                content: content
            )
        )
    }

    /// The target has an older version; the far end names the file, hears of that version, and answers.
    private func answer(_ answers: [(after: Int, say: [Message])], size: Int64) async throws -> RunResult {
        try Disk.write(target / "a", Self.old)
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: [Self.file("a", size: size)]))
        return try await converse(
            [(after: 0, say: Self.greeting + [batch] + Self.end)] + answers,
            options: Self.options
        )
    }

    private func expectOld() throws {
        #expect(try Disk.read(target / "a") == Self.old)
        try expectUntouched()
    }

    @Test("that copies from outside of what is there is not heard any further", arguments: [(150, 1), (0, 1000)])
    func copiesFromOutside(first: UInt32, blocks: UInt32) async throws {
        let copies: [Message] = [
            Self.sent(.delta(transfer: 5), size: 100_000),
            .copies(transfer: 5, [WireCopy(firstBlock: first, blocks: blocks)]),
        ]
        let result = try await answer([(after: Self.described, say: copies)], size: 100_000)
        #expect(result.error?.why?.contains("outside of what is there") == true, "\(String(describing: result.error))")
        try expectOld()
    }

    @Test("that copies more than the file has puts nothing in place")
    func endlessCopies() async throws {
        let all = WireCopy(firstBlock: 0, blocks: 100)
        let copies: [Message] = [
            Self.sent(.delta(transfer: 5), size: 100_000),
            .copies(transfer: 5, [WireCopy](repeating: all, count: WireLimit.copies)),
            .fileEnd(transfer: 5, .whole(Self.zero)),
        ]
        let result = try await answer([(after: Self.described, say: copies)], size: 100_000)
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        try expectOld()
    }

    @Test("that sends more new bytes than the file has puts nothing in place")
    func endlessPieces() async throws {
        let piece = Message.piece(transfer: 5, [UInt8](repeating: 1, count: 1000))
        let pieces =
            [Self.sent(.delta(transfer: 5), size: 5000)] + [Message](repeating: piece, count: 6)
            + [.fileEnd(transfer: 5, .whole(Self.zero))]
        let result = try await answer([(after: Self.described, say: pieces)], size: 5000)
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == 1)
        try expectOld()
    }

    @Test("whose changes do not make the file is asked for all of it once", arguments: [true, false])
    func wrongDigest(isRight: Bool) async throws {
        let changes: [Message] = [
            Self.sent(.delta(transfer: 5), size: 5000), .copies(transfer: 5, [WireCopy(firstBlock: 0, blocks: 1)]),
            .fileEnd(transfer: 5, .whole(Self.zero)),
        ]
        let sum = Self.new.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) }
        let whole: [Message] = [Self.sent(.whole(Self.new, isRight ? sum : Self.zero), size: 5000)]
        let result = try await answer(
            [
                (after: Self.described, say: changes), (after: Self.bytes([.sendWhole(Self.reference)]), say: whole),
            ],
            size: 5000
        )
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(result.counts.failed == (isRight ? 0 : 1) && result.counts.copied == (isRight ? 1 : 0))
        if isRight { #expect(try Disk.read(target / "a") == Self.new) } else { try expectOld() }
    }

    @Test("that sends changes again where all of it was asked for is not heard any further")
    func changesAgain() async throws {
        let changes: [Message] = [
            Self.sent(.delta(transfer: 5), size: 5000), .fileEnd(transfer: 5, .whole(Self.zero)),
        ]
        let result = try await answer(
            [
                (after: Self.described, say: changes), (after: Self.bytes([.sendWhole(Self.reference)]), say: changes),
            ],
            size: 5000
        )
        #expect(result.error?.why?.contains("was not described") == true, "\(String(describing: result.error))")
        try expectOld()
    }

    @Test("that sends a file in another way than it was asked for gets it in, or fails alone")
    func otherWays() async throws {
        let sum = Self.new.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) }
        let whole = try await answer(
            [(after: Self.described, say: [Self.sent(.whole(Self.new, sum), size: 5000)])],
            size: 5000
        )
        #expect(whole.counts.copied == 1, "\(String(describing: whole.error))")
        let error = SyncError(.item, "could not read a")
        let failed = try await answer(
            [(after: Self.described, say: [.fileFailed(Self.reference, error)])],
            size: 5000
        )
        #expect(failed.error == nil && failed.counts.failed == 1, "\(String(describing: failed.error))")
        try expectOld()
    }

    @Test("that sends changes nobody described is not heard any further")
    func undescribed() async throws {
        let batch = Message.batch(WireBatch(id: 0, directory: 0, entries: [Self.file("a", size: 5000)]))
        let sayings: [([Message], String)] = [
            ([Self.sent(.delta(transfer: 5), size: 5000)], "was not described"),
            (
                [
                    Self.sent(.pieces(transfer: 5), size: 5000),
                    .copies(transfer: 5, [WireCopy(firstBlock: 0, blocks: 1)]),
                ], "copies belong to no file"
            ),
            ([.copies(transfer: 1, [WireCopy(firstBlock: 0, blocks: 1)])], "copies belong to no file"),
            ([.built(Self.reference)], "nobody waits for"), ([.sums(Self.reference, [1])], "nobody waits for"),
        ]
        let wanted = Self.bytes([.want(Want(batch: 0, items: [.init(index: 0)]))])
        for (saying, why) in sayings {
            let result = try await converse(
                [(after: 0, say: Self.greeting + [batch] + Self.end), (after: wanted, say: saying)],
                options: Self.options
            )
            #expect(result.error?.why?.contains(why) == true, "\(String(describing: result.error))")
            try expectUntouched()
        }
    }
}
