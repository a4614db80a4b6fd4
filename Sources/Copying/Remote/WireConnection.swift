internal import Archives
internal import MediaModel
internal import Pacing
package import Storage
internal import Synchronization
internal import Wire

/// One end of a connection. What is sent gathers in a buffer that one thread writes out, so that thousands of small frames
/// become a few large writes; who sends faster than the other end reads waits.
package final class WireConnection: Sendable {
    /// Frames in turn that are packed together, or not at all. A large one is a part of its own, and goes to the kernel from where
    /// it lies.
    private struct Part {
        var bytes: [UInt8]
        let isPackable: Bool
    }

    private struct Outgoing {
        var parts = [Part(bytes: WireLimit.magic, isPackable: false)]
        var bytes = WireLimit.magic.count
        /// Of those that the writer has taken and not written.
        var bytesTaken = 0
        var isFinished = false
        var isBroken = false

        mutating func append(_ frame: [UInt8], isPackable: Bool) {
            bytes += frame.count
            let last = parts.count - 1
            let most = isPackable ? WireLimit.packedBytes : WireConnection.joinedMax
            if last >= 0, parts[last].isPackable == isPackable, parts[last].bytes.count + frame.count <= most {
                parts[last].bytes.append(contentsOf: frame)
            } else {
                parts.append(Part(bytes: frame, isPackable: isPackable))
            }
        }

        mutating func take() -> [Part] {
            defer {
                parts = []
                bytesTaken = bytes
                bytes = 0
            }
            return parts
        }
    }

    private enum Room {
        static var forBytes: Int { 0 }
        static var forRoom: Int { 1 }
    }

    /// Bytes of frames that are put together rather than written by themselves.
    private static let joinedMax = 4 << 10

    /// Bytes that wait to be written before who sends waits as well.
    private static let outgoingMax = 1 << 20

    private let output: StreamEnd
    private let sentBytes = Atomic<Int64>(0)
    private let outgoing = Monitor(Outgoing(), waitingRooms: 2)
    /// What the other end says. One owner: the thread that reads.
    let reader: FrameReader

    /// The descriptors stay the caller's.
    /// - Parameter isGreeted: the other end's first bytes were read by somebody else.
    package init(input: StreamEnd, output: StreamEnd, isGreeted: Bool = false) {
        self.output = output
        reader = FrameReader(input, awaitsMagic: !isGreeted)
    }

    /// Sends a message. Once the connection is broken it goes nowhere: whoever reads is told.
    func send(_ message: Message) {
        send(frame: message.encoded(), isPackable: message.mayBePacked)
    }

    /// Sends a message that was encoded already.
    func send(frame: [UInt8], isPackable: Bool = false) {
        let wasEmpty = outgoing.wait(in: Room.forRoom) { state -> Bool? in
            if state.isBroken || state.isFinished { return false }
            guard state.bytes < Self.outgoingMax else { return nil }
            let wasEmpty = state.parts.isEmpty
            state.append(frame, isPackable: isPackable)
            return wasEmpty
        }
        if wasEmpty { outgoing.wakeOne(in: Room.forBytes) }
    }

    /// Nothing more is sent; the writer ends behind what waits.
    func finish() {
        outgoing.withLock { $0.isFinished = true }
        outgoing.wakeAll(in: Room.forBytes)
        outgoing.wakeAll(in: Room.forRoom)
    }

    /// Bytes that went through it so far, both ways.
    var bytes: Int64 { sentBytes.load(ordering: .relaxed) + reader.bytes }

    /// Bytes that what is sent next has before it.
    var bytesBeforeNext: Int { outgoing.withLock { $0.bytes + $0.bytesTaken } }

    /// The other end is gone.
    var isBroken: Bool { outgoing.withLock { $0.isBroken } }

    /// Nothing reaches the other end any more.
    func abandon() {
        outgoing.withLock {
            $0.isBroken = true
            _ = $0.take()
        }
        outgoing.wakeAll(in: Room.forBytes)
        outgoing.wakeAll(in: Room.forRoom)
    }

    /// Fewer bytes wait a moment for more: a frame is a few dozen bytes, and one by one each would wake a thread here, the programs
    /// that carry it, and another thread over there.
    private static let gatheredMin = 16 << 10

    /// Writes what is sent until `finish`, or until the other end is gone. For one thread of our own.
    func write() {
        let packer = BlockPacker()
        var gathering = Gathering()
        while true {
            let began = Host.monotonicNanoseconds()
            let gathers = outgoing.wait(in: Room.forBytes) { state -> Bool? in
                if state.isBroken || state.isFinished { return false }
                return state.parts.isEmpty ? nil : state.bytes < Self.gatheredMin
            }
            let pause = gathering.pause(isLittle: gathers, after: Host.monotonicNanoseconds() - began)
            if pause > 0 { Host.sleep(nanoseconds: pause) }
            let parts = outgoing.withLock { $0.isBroken ? [] : $0.take() }
            if parts.isEmpty { return }
            outgoing.wakeAll(in: Room.forRoom)
            let pieces = Self.packed(parts, packer)
            do throws(FileFault) { try output.write(pieces) } catch { return abandon() }
            sentBytes.wrappingAdd(Int64(pieces.reduce(0) { $0 + $1.count }), ordering: .relaxed)
            outgoing.withLock { $0.bytesTaken = 0 }
        }
    }

    /// Less is not worth the header.
    private static let packedMin = 512

    private static func packed(_ parts: [Part], _ packer: BlockPacker) -> [[UInt8]] {
        parts.map { part in
            let isWorthTrying = part.isPackable && (packedMin...WireLimit.packedBytes).contains(part.bytes.count)
            let packed = isWorthTrying ? part.bytes.withUnsafeBytes { packer.pack($0) } : nil
            return packed.map { Message.packed(bytes: part.bytes.count, $0).encoded() } ?? part.bytes
        }
    }
}

/// How long a writer waits for more when it has little to send. The first time it is short, since somebody may be waiting for just
/// that. Where there is something again at once, time and again, it is a stream of little things, and each may wait longer.
struct Gathering {
    static let shortest: Int64 = 200_000
    static let longest: Int64 = 2_000_000

    private var last = Gathering.shortest

    /// Nanoseconds to wait now.
    /// - Parameter nanoseconds: how long there was nothing to send.
    mutating func pause(isLittle: Bool, after nanoseconds: Int64) -> Int64 {
        last = isLittle && nanoseconds <= last ? min(2 * last, Self.longest) : Self.shortest
        return isLittle ? last : 0
    }
}

/// Reads messages.
///
/// Sendable without checks: one owner, the thread that reads; handing it to another one goes through the start of a task.
final class FrameReader: @unchecked Sendable {
    private static let bufferBytes = 256 << 10

    private let input: StreamEnd
    private var decoder: FrameDecoder
    /// What came packed, and was not read yet.
    private var unpacked = FrameDecoder(awaitsMagic: false)
    private let unpacker = BlockUnpacker()
    private let readBytes = Atomic<Int64>(0)
    /// The last read found about as much as a pipe holds: the other end is ahead.
    private(set) var isBehind = false
    private static let muchBytes = 48 << 10

    init(_ input: StreamEnd, awaitsMagic: Bool = true) {
        self.input = input
        decoder = FrameDecoder(awaitsMagic: awaitsMagic)
    }

    /// Bytes read so far.
    var bytes: Int64 { readBytes.load(ordering: .relaxed) }

    /// Nothing was read beyond the last message.
    var isAtMessageEnd: Bool { decoder.isBetweenFrames && unpacked.isBetweenFrames }

    /// How often a wait looks whether it goes on.
    private static let pollMilliseconds: Int32 = 100

    /// The next message of what has come already.
    func atHand() throws(SyncError) -> Message? {
        do throws(WireFault) { return try nextHere() } catch { throw Self.problem(error, after: decoder.unread) }
    }

    /// Waits for the next message; nil where the other end has closed the connection between two, or nobody waits any more.
    func next(while goesOn: () -> Bool = { true }) throws(SyncError) -> Message? {
        while true {
            if let message = try atHand() { return message }
            while !input.isReadable(within: Self.pollMilliseconds) {
                if !goesOn() { return nil }
            }
            var fault: FileFault?
            let count = decoder.fill(Self.bufferBytes) { buffer in
                do throws(FileFault) { return try input.read(into: buffer) } catch {
                    fault = error
                    return 0
                }
            }
            if let fault { throw fault.syncError("cannot read from the other end") }
            if count == 0 {
                if decoder.isBetweenFrames { return nil }
                throw Self.cut
            }
            isBehind = count >= Self.muchBytes
            readBytes.wrappingAdd(Int64(count), ordering: .relaxed)
        }
    }

    /// The next message of what has come.
    private func nextHere() throws(WireFault) -> Message? {
        while true {
            if let message = try unpacked.next() {
                if case .packed = message { throw WireFault("what is packed is packed again") }
                return message
            }
            if !unpacked.isBetweenFrames { throw WireFault("what is packed ends in the middle of a frame") }
            guard let message = try decoder.next() else { return nil }
            guard case .packed(let count, let bytes) = message else { return message }
            guard let frames = bytes.withUnsafeBytes({ unpacker.unpack($0, to: count) }) else {
                throw WireFault("what is packed cannot be unpacked")
            }
            frames.withUnsafeBytes { unpacked.feed($0) }
        }
    }

    private static let goOn = "run the same command again: it goes on where it was"
    /// The other end is gone, between two messages or in the middle of one.
    static let ended = SyncError(.unusable, "the other end closed the connection", hint: goOn, retry: .backOff)
    private static let cut = SyncError(
        .unusable,
        "the connection ended in the middle of a message",
        hint: goOn,
        retry: .backOff
    )

    static func isEnd(_ error: SyncError) -> Bool { error == ended || error == cut }

    static func problem(_ fault: WireFault, after unread: ArraySlice<UInt8> = []) -> SyncError {
        SyncError(
            .unusable,
            "the other end does not keep to the protocol",
            why: fault.what + (unread.isEmpty ? "" : "; it said: \(BytePath.escaped(Array(unread.prefix(80))))"),
            hint: "use the same version of mediasync on both machines; a login shell there must print nothing"
        )
    }
}
