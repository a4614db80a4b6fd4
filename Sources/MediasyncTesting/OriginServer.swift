internal import Glibc
internal import Pacing
internal import Synchronization

/// A server of strangers' files on loopback: plain sockets and threads of its own, so that it can misbehave in every way. It
/// answers for all hosts that are asked of it, and remembers what was asked when.
package final class OriginServer: Sendable {
    /// What is to be said to a request; called by many threads at a time.
    package typealias Content = @Sendable (OriginRequest) -> OriginAnswer

    private let shared: Shared
    package let address: String
    package let port: Int

    /// - Parameters:
    ///   - address: one of 127.0.0.0/8.
    ///   - content: answers requests.
    package init(address: String = "127.0.0.1", content: @escaping Content) throws {
        let listening = try OriginSocket.listen(on: address)
        self.address = address
        port = try OriginSocket.port(of: listening)
        shared = try Shared(listening: listening, content: content)
        try shared.start()
    }

    deinit { shared.stop() }

    /// `127.0.0.1:43210`, as `FetchOptions.connectTo` takes it.
    package var place: String { "\(address):\(port)" }

    /// The address of a file, by this server's own address.
    package func url(_ path: String) -> String { "http://\(place)\(path)" }

    /// All requests so far, in the order in which they came.
    package var log: [OriginRecord] {
        shared.log.withLock { log in log.keys.sorted().compactMap { log[$0] } }
    }

    package func forget() { shared.log.withLock { $0 = [:] } }

    /// Connections that were made so far.
    package var connections: Int { shared.connections.load(ordering: .relaxed) }
}

/// What the server's threads have in common. It outlives the server until the last of them has ended.
private final class Shared: Sendable {
    /// By the requests' numbers.
    let log = Mutex<[Int: OriginRecord]>([:])
    private let requests = Atomic<Int>(0)
    let connections = Atomic<Int>(0)
    private let listening: Int32
    /// Readable once everything is to end.
    private let stopped: Int32
    private let stopping: Int32
    private let content: OriginServer.Content
    private let threads = Monitor(0)

    init(listening: Int32, content: @escaping OriginServer.Content) throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestFault("no pipe") }
        (stopped, stopping) = (ends[0], ends[1])
        self.listening = listening
        self.content = content
    }

    deinit {
        close(stopped)
        close(listening)
    }

    func start() throws {
        guard spawn({ [self] in accept() }) else { throw TestFault("no thread for an origin") }
    }

    /// Ends all threads and waits for them.
    func stop() {
        close(stopping)
        shutdown(listening, Int32(SHUT_RDWR))
        threads.wait { $0 == 0 ? () : nil }
    }

    private func spawn(_ body: @escaping @Sendable () -> Void) -> Bool {
        threads.withLock { $0 += 1 }
        let began = OriginThread.start { [self] in
            body()
            threads.withLock { $0 -= 1 }
            threads.wakeAll()
        }
        if !began { threads.withLock { $0 -= 1 } }
        return began
    }

    private func accept() {
        while true {
            let socket = OriginSocket.accept(listening)
            guard socket >= 0 else { return }
            let number = connections.wrappingAdd(1, ordering: .relaxed).newValue
            let began = spawn { [self] in
                let connection = OriginConnection(socket: socket, stopped: stopped, number: number)
                while let request = connection.nextRequest() {
                    let entry = requests.wrappingAdd(1, ordering: .relaxed).newValue
                    // Before the answer: who has the answer finds the request here.
                    log.withLock { $0[entry] = OriginRecord(request: request, status: 0, endedAt: .infinity) }
                    let answer = content(request)
                    let (status, goesOn) = connection.send(answer, isHead: request.method == "HEAD")
                    let record = OriginRecord(request: request, status: status, endedAt: RunningProgram.now())
                    log.withLock { if $0[entry] != nil { $0[entry] = record } }
                    if !goesOn { break }
                }
            }
            if !began { close(socket) }
        }
    }
}

/// Threads with small stacks: there is one for each connection.
enum OriginThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 256 << 10)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let result = pthread_create(&thread, &attributes, main, body.toOpaque())
        if result != 0 { body.release() }
        return result == 0
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
        return nil
    }
}
