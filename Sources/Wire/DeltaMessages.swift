/// What the receiver tells of a version that it has, so that the sender can say what is new by it. Checksums of its first
/// blocks come with it, those of the others behind it.
package struct WireBasis: Hashable, Sendable {
    package var reference: WireReference
    /// Bytes of the version that is there.
    package var fileBytes: Int64
    /// Bytes of each of its blocks but the last.
    package var blockBytes: UInt32
    /// Bytes of a strong checksum.
    package var strongBytes: UInt8
    /// What strong checksums begin with.
    package var seed: UInt64
    /// For each block the weak and the strong checksum.
    package var sums: [UInt8]

    package init(
        reference: WireReference,
        fileBytes: Int64,
        blockBytes: UInt32,
        strongBytes: UInt8,
        seed: UInt64,
        sums: [UInt8]
    ) {
        self.reference = reference
        self.fileBytes = fileBytes
        self.blockBytes = blockBytes
        self.strongBytes = strongBytes
        self.seed = seed
        self.sums = sums
    }
}

/// Blocks of the version that the receiver has, which come next in the new one.
package struct WireCopy: Hashable, Sendable {
    package var firstBlock: UInt32
    package var blocks: UInt32

    package init(firstBlock: UInt32, blocks: UInt32) {
        self.firstBlock = firstBlock
        self.blocks = blocks
    }
}

extension WireReader {
    mutating func basis() throws(WireFault) -> WireBasis {
        WireBasis(
            reference: try reference(),
            fileBytes: try count(),
            blockBytes: try number32(),
            strongBytes: UInt8(try unsigned(UInt64(UInt8.max))),
            seed: try seed(),
            sums: try bytes(WireLimit.pieceBytes)
        )
    }

    /// Eight bytes, whatever the number is: it is noise.
    private mutating func seed() throws(WireFault) -> UInt64 {
        var seed: UInt64 = 0
        for index in 0..<8 { seed |= UInt64(try byte()) << UInt64(8 * index) }
        return seed
    }

    mutating func copies() throws(WireFault) -> [WireCopy] {
        let copies = try list(WireLimit.copies, bytesEach: 2) { (reader) throws(WireFault) in
            let copy = WireCopy(firstBlock: try reader.number32(), blocks: try reader.number32())
            if copy.blocks == 0 { throw WireFault("a copy is of no block") }
            return copy
        }
        if copies.isEmpty { throw WireFault("a list of copies is empty") }
        return copies
    }
}

extension WireWriter {
    mutating func basis(_ basis: WireBasis) {
        reference(basis.reference)
        unsigned(basis.fileBytes)
        unsigned(basis.blockBytes)
        unsigned(basis.strongBytes)
        for index in 0..<8 { byte(UInt8(truncatingIfNeeded: basis.seed >> UInt64(8 * index))) }
        data(basis.sums)
    }

    mutating func copies(_ copies: [WireCopy]) {
        list(copies) { writer, copy in
            writer.unsigned(copy.firstBlock)
            writer.unsigned(copy.blocks)
        }
    }
}
