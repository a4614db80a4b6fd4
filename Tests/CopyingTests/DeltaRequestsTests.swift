import Delta
import MediaModel
import Testing
import Wire

@testable import Copying

/// What a sender keeps of older versions that a receiver describes, whatever the receiver says.
@Suite("A sender that is told about older versions") struct DeltaRequestsTests {
    private static let plan = BlockPlan(fileBytes: 1000, blockBytes: 704, strongBytes: 2)

    private let batch = SentBatch(
        node: DirectoryNode(root: DescriptorBudget(maximum: 1)),
        entries: [WireEntry(name: BytePath("a"), kind: .file, state: .skipped(.excluded))]
    )

    private func reference(_ number: Int) -> WireReference {
        WireReference(batch: UInt32(number), index: 0)
    }

    /// A description of two blocks, or of a longer file.
    private func basis(
        _ number: Int,
        fileBytes: Int64 = 1000,
        blockBytes: UInt32 = 704,
        strongBytes: UInt8 = 2,
        blocks: Int = 2
    ) -> WireBasis {
        WireBasis(
            reference: reference(number),
            fileBytes: fileBytes,
            blockBytes: blockBytes,
            strongBytes: strongBytes,
            seed: 1,
            sums: [UInt8](repeating: 1, count: blocks * (4 + Int(strongBytes)))
        )
    }

    @Test("sends what is new, and forgets the file at the receiver's word")
    func course() throws {
        var requests = DeltaRequests()
        try requests.expect(reference(1), in: batch)
        let early = requests.take()
        #expect(early == nil)
        try requests.describe(basis(1, blocks: 1))
        let half = requests.take()
        #expect(half == nil)
        try requests.add([UInt8](repeating: 2, count: 6), to: reference(1))
        let taken = requests.take()
        let request = try #require(taken)
        #expect(request.signature?.plan == Self.plan)
        #expect(request.reference == reference(1))
        requests.sent(reference(1))
        #expect(requests.count == 1)
        try requests.built(reference(1))
        #expect(requests.count == 0)
    }

    @Test("sends a file whole where the receiver cannot describe it, or what was built is not the file")
    func whole() throws {
        var requests = DeltaRequests()
        try requests.expect(reference(1), in: batch)
        let first = try requests.sendWhole(reference(1))
        #expect(first.signature == nil)
        try requests.expect(reference(2), in: batch)
        try requests.describe(basis(2, blocks: 1))
        _ = try requests.sendWhole(reference(2))
        try requests.expect(reference(3), in: batch)
        try requests.describe(basis(3))
        _ = requests.take()
        requests.sent(reference(3))
        _ = try requests.sendWhole(reference(3))
        #expect(requests.count == 0)
        #expect(throws: WireFault.self) { try requests.sendWhole(reference(3)) }
    }

    @Test("does not hear what does not belong together any further")
    func strange() throws {
        var requests = DeltaRequests()
        #expect(throws: WireFault.self) { try requests.describe(basis(1)) }
        #expect(throws: WireFault.self) { try requests.add([1], to: reference(1)) }
        #expect(throws: WireFault.self) { try requests.built(reference(1)) }
        try requests.expect(reference(1), in: batch)
        #expect(throws: WireFault.self) { try requests.expect(reference(1), in: batch) }
        try requests.expect(reference(2), in: batch)
        #expect(throws: WireFault.self) { try requests.built(reference(2)) }
        try requests.describe(basis(2))
        // It is waiting to be looked through: neither whole nor built now, and not described twice.
        #expect(throws: WireFault.self) { try requests.sendWhole(reference(2)) }
        #expect(throws: WireFault.self) { try requests.built(reference(2)) }
        #expect(throws: WireFault.self) { try requests.describe(basis(2)) }
        #expect(throws: WireFault.self) { try requests.add([1, 1, 1, 1, 1, 1], to: reference(2)) }
    }

    @Test(
        "refuses descriptions that no file has",
        arguments: [
            (0, 704, 2, 1), (-1, 704, 2, 1), (Int64.max, 704, 2, 1), (1000, 0, 2, 1), (1000, 63, 2, 1),
            (1000, UInt32.max, 2, 1), (1000, 704, 0, 1), (1000, 704, 9, 1), (1 << 40, 64, 2, 1),
            // Checksums of more blocks than there are, and of none.
            (1000, 704, 2, 3), (1000, 704, 2, 0),
        ] as [(Int64, UInt32, UInt8, Int)]
    )
    func descriptions(fileBytes: Int64, blockBytes: UInt32, strongBytes: UInt8, blocks: Int) throws {
        var requests = DeltaRequests()
        try requests.expect(reference(1), in: batch)
        let basis = basis(
            1,
            fileBytes: fileBytes,
            blockBytes: blockBytes,
            strongBytes: strongBytes,
            blocks: blocks
        )
        #expect(throws: WireFault.self) { try requests.describe(basis) }
    }

    @Test("keeps no more descriptions than were agreed")
    func bounds() throws {
        var many = DeltaRequests()
        for number in 0...WireLimit.bases { try many.expect(reference(number), in: batch) }
        for number in 0..<WireLimit.bases { try many.describe(basis(number)) }
        #expect(throws: WireFault.self) { try many.describe(basis(WireLimit.bases)) }
        // Their blocks count from the first word, not only once they have come.
        var long = DeltaRequests()
        let bytes = Int64(WireLimit.basisBlocks) * 704
        for number in 0..<2 { try long.expect(reference(number), in: batch) }
        try long.describe(basis(0, fileBytes: bytes))
        #expect(throws: WireFault.self) { try long.describe(basis(1)) }
        _ = try long.sendWhole(reference(0))
        try long.expect(reference(2), in: batch)
        try long.describe(basis(2))
    }

    @Test("looks through a few files at a time, and has room again when one is sent or given up")
    func active() throws {
        var requests = DeltaRequests()
        for number in 0..<10 {
            try requests.expect(reference(number), in: batch)
            try requests.describe(basis(number))
        }
        let first = (0..<10).map { _ in requests.take()?.reference }
        #expect(first == (0..<8).map(reference) + [nil, nil])
        requests.sent(reference(0))
        requests.forget(reference(1))
        let second = (0..<3).map { _ in requests.take()?.reference }
        #expect(second == [reference(8), reference(9), nil])
        #expect(requests.count == 9)
    }
}
