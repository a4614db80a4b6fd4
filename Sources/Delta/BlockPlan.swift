/// How a file is cut into blocks, and how long their checksums are: decided by its length alone.
package struct BlockPlan: Sendable, Equatable {
    /// Bytes of the file that is described.
    package let fileBytes: Int64
    /// Bytes of every block but the last.
    package let blockBytes: Int
    /// Bytes that are kept of a strong checksum.
    package let strongBytes: Int

    /// A block below this costs more to describe than it saves.
    private static let blockBytesMin = 704
    /// Beyond this a changed byte costs too much.
    private static let blockBytesUsual = 128 << 10
    /// Blocks of one file: some forty megabytes of checksums. Larger files get larger blocks.
    package static let blocksMax = 1 << 21
    /// The longest file that is described: 1 TiB.
    package static let fileBytesMax: Int64 = 1 << 40

    /// Nil where the file is longer than any that is described this way, or has no byte.
    package init?(fileBytes: Int64) {
        guard fileBytes > 0, fileBytes <= Self.fileBytesMax else { return nil }
        // As many blocks as bytes in one: what is sent is least where half of it is checksums.
        let root = Int(Double(fileBytes).squareRoot()) & ~63
        let least = Int((fileBytes + Int64(Self.blocksMax) - 1) / Int64(Self.blocksMax) + 63) & ~63
        let block = max(min(max(root, Self.blockBytesMin), Self.blockBytesUsual), least)
        self.init(fileBytes: fileBytes, blockBytes: block, strongBytes: Self.strongBytes(fileBytes, blockBytes: block))
    }

    /// A plan that somebody else made; nil where it is none that could be: both ends check what they are told.
    package init?(fileBytes: Int64, blockBytes: Int, strongBytes: Int) {
        guard (1...Self.fileBytesMax).contains(fileBytes), (64...(1 << 24)).contains(blockBytes),
            (2...8).contains(strongBytes),
            (fileBytes + Int64(blockBytes) - 1) / Int64(blockBytes) <= Int64(Self.blocksMax)
        else { return nil }
        self.fileBytes = fileBytes
        self.blockBytes = blockBytes
        self.strongBytes = strongBytes
    }

    private init(fileBytes: Int64, blockBytes: Int, strongBytes: Int, isSound: Void = ()) {
        self.fileBytes = fileBytes
        self.blockBytes = blockBytes
        self.strongBytes = strongBytes
    }

    /// So many that of a million files not one has two blocks that are taken for the same by chance: every window of one
    /// file is compared with every block of the other, and a weak checksum has 32 bits.
    private static func strongBytes(_ fileBytes: Int64, blockBytes: Int) -> Int {
        let windows = 64 - fileBytes.leadingZeroBitCount
        let blocks = 64 - (fileBytes / Int64(blockBytes) + 1).leadingZeroBitCount
        return max(2, min(8, (windows + blocks + 20 - 32 + 7) / 8))
    }

    package var blockCount: Int { Int((fileBytes + Int64(blockBytes) - 1) / Int64(blockBytes)) }

    /// Bytes of the last block: of the others where it is as long.
    package var lastBytes: Int { Int(fileBytes - Int64(blockCount - 1) * Int64(blockBytes)) }

    /// Where a block begins.
    package func offset(of block: Int) -> Int64 { Int64(block) * Int64(blockBytes) }

    package func bytes(of block: Int) -> Int { block == blockCount - 1 ? lastBytes : blockBytes }

    var strongMask: UInt64 { strongBytes == 8 ? .max : (1 << UInt64(8 * strongBytes)) - 1 }
}
