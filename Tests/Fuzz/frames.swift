import MediaModel
import Wire

/// What libFuzzer calls: the decoder against any bytes. What it understands it must encode again without a trap, and read back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFrames(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var decoder = FrameDecoder()
    WireLimit.magic.withUnsafeBytes { decoder.feed($0) }
    decoder.feed(UnsafeRawBufferPointer(start: start, count: count))
    while let message = try? decoder.next() {
        if case .hello(let hello) = message, hello.version != WireLimit.version { continue }
        if case .join(let join) = message, join.version != WireLimit.version { continue }
        let frame = message.encoded()
        _ = try? Message(kind: frame[4], payload: frame.dropFirst(WireLimit.headerBytes))
    }
    return 0
}
