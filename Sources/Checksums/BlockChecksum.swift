internal import CXXHash

/// Checksums of blocks: short, and other ones for each seed, so that nobody can prepare two blocks that are taken for the
/// same before the seed is known. What is built from blocks is checked by a whole digest afterwards.
package enum BlockChecksum {
    /// XXH3 with 64 bits.
    package static func strong(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        mds_xxh3_seeded(bytes.baseAddress, bytes.count, seed)
    }
}
