internal import CZstd

/// Packs blocks by zstd, each for itself, where that makes them smaller: for what is unpacked at once and never kept. One
/// owner, one thread.
package final class BlockPacker {
    /// Faster than any line: what is gained by more effort is gained later than it is sent.
    private static let level: Int32 = 1

    private let context: OpaquePointer

    package init() {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory to compress") }
        self.context = context
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    /// The block, packed; nil where that does not save an eighth of it.
    package func pack(_ block: UnsafeRawBufferPointer) -> [UInt8]? {
        let room = block.count - block.count / 8
        guard room > 0 else { return nil }
        var isPacked = false
        let packed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            // It ends with an error where the room is too small.
            let size = ZSTD_compressCCtx(context, buffer.baseAddress, room, block.baseAddress, block.count, Self.level)
            isPacked = ZSTD_isError(size) == 0
            count = isPacked ? size : 0
        }
        return isPacked ? packed : nil
    }
}

/// Unpacks what `BlockPacker` packed. One owner, one thread.
package final class BlockUnpacker {
    private let context: OpaquePointer

    package init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory to decompress") }
        self.context = context
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// A block of exactly so many bytes; nil where it is none, whatever else it is. Never takes more memory than that.
    package func unpack(_ packed: UnsafeRawBufferPointer, to bytes: Int) -> [UInt8]? {
        guard bytes > 0 else { return nil }
        var isWhole = false
        let block = [UInt8](unsafeUninitializedCapacity: bytes) { buffer, count in
            let size = ZSTD_decompressDCtx(context, buffer.baseAddress, bytes, packed.baseAddress, packed.count)
            isWhole = ZSTD_isError(size) == 0 && size == bytes
            count = isWhole ? size : 0
        }
        return isWhole ? block : nil
    }
}
