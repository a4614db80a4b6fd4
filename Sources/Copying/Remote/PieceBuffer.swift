internal import Wire

/// Room for one piece of a large file. One owner.
final class PieceBuffer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: WireLimit.pieceBytes, alignment: 4096)

    deinit {
        bytes.deallocate()
    }
}
