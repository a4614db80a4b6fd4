import Glibc
import MediaModel
import MediasyncTesting
import Pacing
import Running
import Storage
import Testing
import Wire

@testable import Copying

/// An agent in this process, and the test as the near end of its connection.
private final class AgentTalk {
    private let descriptors: [Int32]
    private var hungUp = false
    private let connection: WireConnection
    private let serving: Task<SyncError?, Never>
    /// The test blocks a thread of the cooperative pool while it listens.
    private let pool = WorkerPool(threads: 1)

    init(_ first: Message, limits: Agent.Limits = Agent.Limits(), more: [UInt8] = []) throws {
        var (forth, back): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&forth) == 0, pipe(&back) == 0 else { throw TestFault("no pipes") }
        let pipes = forth + back
        let (input, output) = (StreamEnd(raw: pipes[0]), StreamEnd(raw: pipes[3]))
        connection = WireConnection(input: StreamEnd(raw: pipes[2]), output: StreamEnd(raw: pipes[1]))
        descriptors = pipes
        let agent = Agent(input: input, output: output, limits: limits, host: .current(), control: RunControl())
        let bytes = WireLimit.magic + first.encoded() + more
        try bytes.withUnsafeBytes { try StreamEnd(raw: pipes[1]).write($0) }
        serving = Task(executorPreference: pool) {
            let problem = await agent.serve()
            for end in [input, output] { end.close() }
            return problem
        }
    }

    deinit {
        if !hungUp { close(descriptors[1]) }
        close(descriptors[2])
        pool.shutDown()
    }

    /// The near end says something.
    func say(_ message: Message) throws {
        try message.encoded().withUnsafeBytes { try StreamEnd(raw: descriptors[1]).write($0) }
    }

    /// What the agent says next; nil at the end, or where it says nothing for ten seconds.
    func hear() throws -> Message? {
        let end = RunningProgram.now() + 10
        return try connection.reader.next { RunningProgram.now() < end }
    }

    /// Microseconds that the agent says its welcome's answer took, whatever it says before; nil where it does not.
    func hearRoundTrip() throws -> UInt32? {
        while let message = try hear() { if case .roundTrip(let microseconds) = message { return microseconds } }
        return nil
    }

    /// Everything until it ends the connection.
    func hearAll() throws -> [Message] {
        var all: [Message] = []
        while let message = try hear() { all.append(message) }
        return all
    }

    /// The near end goes; the agent's problem.
    func hangUp() async -> SyncError? {
        hungUp = true
        close(descriptors[1])
        return await serving.value
    }

    var refusal: String? {
        guard case .failure(let error)? = try? hear() else { return nil }
        return error.why
    }
}

/// Further connections that are handed over to the first one's agent, and those that must not be.
@Suite("A further connection") struct CarrierHostTests {
    let place: TemporaryDirectory
    private let tree: BytePath
    private let session: WireSession

    init() throws {
        // As the program does: an end that goes is heard of by the error alone.
        signal(SIGPIPE, SIG_IGN)
        place = try TemporaryDirectory()
        tree = place.path / "tree"
        try Disk.makeDirectory(tree)
        session = WireSession(
            id: SeededGenerator.bytes(16, seed: .random(in: 0 ... .max)),
            secret: SeededGenerator.bytes(32, seed: 4),
            connections: 3
        )
    }

    private func hello(_ role: Hello.Role) -> Message {
        var hello = Hello(
            role: role,
            root: tree,
            run: RunID(secondsSince1970: 0, random: 1),
            options: WireOptions(),
            source: SourceFacts(isEmpty: false, looksLikeRoot: false)
        )
        hello.session = session
        return .hello(hello)
    }

    private func join(_ number: UInt32, secret: [UInt8]? = nil, id: [UInt8]? = nil) -> Message {
        .join(WireJoin(id: id ?? session.id, secret: secret ?? session.secret, number: number))
    }

    private func first(_ role: Hello.Role, _ limits: Agent.Limits = Agent.Limits()) throws -> AgentTalk {
        let talk = try AgentTalk(hello(role), limits: limits)
        guard case .welcome(let welcome)? = try talk.hear() else { throw TestFault("no welcome") }
        #expect(welcome.takesCarriers)
        try talk.say(.greeted)
        guard try talk.hearRoundTrip() != nil else { throw TestFault("no round trip") }
        return talk
    }

    private func expectJoined(_ talk: AgentTalk, _ location: SourceLocation = #_sourceLocation) throws {
        guard case .joined? = try talk.hear() else { throw TestFault("it was not taken, line \(location.line)") }
    }

    @Test("is taken once for each number, and no more often than was said")
    func numbers() async throws {
        let first = try first(.send)
        let carriers = [try AgentTalk(join(2))]
        try expectJoined(carriers[0])
        #expect(try AgentTalk(join(2)).refusal == "it has come already")
        #expect(try AgentTalk(join(3)).refusal == "the run has fewer connections")
        #expect(try AgentTalk(join(15)).refusal == "the run has fewer connections")
        let last = try AgentTalk(join(1))
        try expectJoined(last)
        #expect(try AgentTalk(join(1)).refusal == "no such run is at work here")
        _ = await first.hangUp()
        // Both are let go with the run.
        for carrier in carriers + [last] { #expect(await carrier.hangUp() == nil) }
        #expect(try AgentTalk(join(1)).refusal == "no such run is at work here")
    }

    @Test("that does not know the secret is refused, wherever it differs", arguments: [0, 15, 31])
    func secret(index: Int) async throws {
        let first = try first(.send)
        var wrong = session.secret
        wrong[index] ^= 1
        #expect(try AgentTalk(join(1, secret: wrong)).refusal == "it does not belong to this run")
        var other = session.id
        other[0] ^= 1
        #expect(try AgentTalk(join(1, id: other)).refusal == "no such run is at work here")
        let good = try AgentTalk(join(1))
        try expectJoined(good)
        _ = await first.hangUp()
        #expect(await good.hangUp() == nil)
    }

    @Test("whose key is confined otherwise is refused, both ways")
    func confined() async throws {
        var confined = Agent.Limits()
        confined.root = tree
        confined.isReadOnly = true
        let why = "its key is confined otherwise than the first connection's"
        let strict = try first(.send, confined)
        #expect(try AgentTalk(join(1)).refusal == why)
        let same = try AgentTalk(join(1), limits: confined)
        try expectJoined(same)
        var elsewhere = confined
        elsewhere.root = place.path
        #expect(try AgentTalk(join(2), limits: elsewhere).refusal == why)
        _ = await strict.hangUp()
        #expect(await same.hangUp() == nil)
        let free = try first(.send)
        #expect(try AgentTalk(join(1), limits: confined).refusal == why)
        _ = await free.hangUp()
    }

    @Test(
        "is not looked at before the welcome is answered, and then the line's time is told",
        arguments: Hello.Role.allCases
    )
    func greeting(role: Hello.Role) async throws {
        let talk = try AgentTalk(hello(role))
        guard case .welcome? = try talk.hear() else { throw TestFault("no welcome") }
        RunningProgram.pause(milliseconds: 120)
        try talk.say(.greeted)
        let told = try talk.hearRoundTrip() ?? 0
        #expect((120_000..<5_000_000).contains(told), "\(told)")
        // Once is all there is to answer.
        try talk.say(.greeted)
        #expect(try talk.hearAll().allSatisfy { if case .roundTrip = $0 { false } else { true } })
        _ = await talk.hangUp()
    }

    @Test("of a receiver that hears something else than the answer is not waited for")
    func ungreeted() async throws {
        let talk = try AgentTalk(hello(.receive))
        guard case .welcome? = try talk.hear() else { throw TestFault("no welcome") }
        try talk.say(.treeEnd)
        guard case .failure(let error)? = try talk.hear() else { throw TestFault("no failure") }
        #expect(error.why?.contains("a welcome is not answered") == true)
        _ = await talk.hangUp()
        #expect(try Disk.names(in: tree).isEmpty)
    }

    @Test("that says more before it is answered is not handed over")
    func early() async throws {
        let first = try first(.receive)
        let talk = try AgentTalk(join(1), more: Message.treeEnd.encoded())
        #expect(talk.refusal?.contains("behind a join") == true)
        _ = await first.hangUp()
    }

    @Test("of another version is told so")
    func version() throws {
        let talk = try AgentTalk(.join(WireJoin(version: 99, id: [], secret: [], number: 1)))
        guard case .failure(let error)? = try talk.hear() else { throw TestFault("no failure") }
        #expect(error.what.contains("another version"))
    }

    @Test(
        "by which anything but a file's bytes comes ends the run",
        arguments: [
            .treeEnd, .bye, .joined, .closed(1), .batch(WireBatch(id: 0, directory: 0, entries: [])),
            .piece(transfer: 7, [1]), .fileEnd(transfer: 7, .again),
            .fileFailed(.init(batch: 0, index: 0), .init(.item, "x")),
        ] as [Message]
    )
    func receiving(message: Message) async throws {
        let first = try first(.receive)
        let carrier = try AgentTalk(join(1))
        try expectJoined(carrier)
        try carrier.say(message)
        let finished = try first.hearAll().contains { heard in
            guard case .finished(_, let error?) = heard else { return false }
            return error.what.contains("does not keep to the protocol")
        }
        #expect(finished)
        _ = await first.hangUp()
        #expect(await carrier.hangUp() == nil)
        #expect(try Disk.names(in: tree).isEmpty)
    }

    @Test("by which a receiver says something ends the run", arguments: [.done, .closed(1), .joined] as [Message])
    func sending(message: Message) async throws {
        let first = try first(.send)
        let carrier = try AgentTalk(join(1))
        try expectJoined(carrier)
        try carrier.say(message)
        #expect(try !first.hearAll().contains { if case .bye = $0 { true } else { false } })
        _ = await first.hangUp()
        #expect(await carrier.hangUp() == nil)
    }
}
