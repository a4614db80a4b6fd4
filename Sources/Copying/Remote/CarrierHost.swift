internal import MediaModel
internal import Programs
internal import Storage
internal import Synchronization
internal import Wire

/// The first agent of a run, to which the agents of further connections hand theirs over.
final class CarrierHost: Sendable {
    let desk: CarrierDesk
    private let session: WireSession
    private let limits: Agent.Limits
    private let listener: HandoverListener
    /// Numbers of those that have come: each comes once.
    private let taken = Mutex<Set<UInt32>>([])
    /// What was handed over; open until the run has ended.
    private let handovers = Mutex<[Handover]>([])

    /// Nil where it could not be found by others.
    init?(_ session: WireSession, _ limits: Agent.Limits) {
        guard let listener = HandoverListener(name: CarrierRequest.name(of: session.id)) else { return nil }
        self.listener = listener
        self.session = session
        self.limits = limits
        desk = CarrierDesk(carriersMax: Int(session.connections) - 1)
    }

    private static let pollMilliseconds: Int64 = 500

    /// Takes connections over and writes what is sent by them, one after the other; as many threads of our own as carriers
    /// may come do.
    func serve() {
        while !desk.isClosed {
            guard let handover = listener.next(within: Self.pollMilliseconds) else { continue }
            if let refusal = refusal(of: handover.message) {
                handover.answer(refusal: refusal)
                continue
            }
            let count = handovers.withLock { handovers in
                handovers.append(handover)
                return handovers.count
            }
            // Whoever calls now is told at once that nobody listens.
            if count == desk.carriersMax { listener.stop() }
            handover.answer()
            let connection = WireConnection(
                input: StreamEnd(raw: handover.input),
                output: StreamEnd(raw: handover.output),
                isGreeted: true
            )
            connection.send(.joined)
            if !desk.arrive(connection) { connection.finish() }
            connection.write()
        }
    }

    /// Why a connection is not taken; nil where it is.
    private func refusal(of message: [UInt8]) -> String? {
        guard let request = try? CarrierRequest(decoding: message) else { return "it is of another version" }
        if !Self.areEqual(request.secret, session.secret) { return "it does not belong to this run" }
        // Whoever may do less than the first one, or something else, is somebody else.
        if request.isReadOnly != limits.isReadOnly || request.root != limits.root {
            return "its key is confined otherwise than the first connection's"
        }
        guard request.number > 0, request.number < session.connections else { return "the run has fewer connections" }
        return taken.withLock { $0.insert(request.number).inserted } ? nil : "it has come already"
    }

    /// Takes the same time wherever two secrets differ.
    static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        if first.count != second.count { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(first, second) { difference |= one ^ other }
        return difference == 0
    }

    /// Nobody is waited for any more.
    func stop() {
        desk.close()
        listener.stop()
    }

    /// Nobody reads or writes any more: those that handed their connections over hear that they may go.
    func close() {
        handovers.withLock { $0.removeAll() }
    }
}

/// What the agent of a further connection says to the first one.
struct CarrierRequest: Equatable {
    var secret: [UInt8]
    var number: UInt32
    /// What its command line allows.
    var isReadOnly: Bool
    var root: BytePath?

    init(_ join: WireJoin, _ limits: Agent.Limits) {
        secret = join.secret
        number = join.number
        isReadOnly = limits.isReadOnly
        root = limits.root
    }

    init(decoding bytes: [UInt8]) throws(WireFault) {
        var reader = WireReader(bytes[...])
        guard try reader.unsigned() == WireLimit.version else { throw WireFault("it is of another version") }
        secret = try reader.bytes(WireLimit.secretBytes)
        number = try reader.number32()
        isReadOnly = try reader.flag()
        root = try reader.optional { (reader) throws(WireFault) in
            BytePath(bytes: try reader.bytes(WireLimit.pathBytes))
        }
        try reader.end()
    }

    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.unsigned(WireLimit.version)
        writer.data(secret)
        writer.unsigned(number)
        writer.flag(isReadOnly)
        writer.optional(root) { $0.path($1) }
        return writer.bytes
    }

    /// The name by which the first agent of a session is found.
    static func name(of id: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return Array("mediasync-agent-".utf8) + id.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
