import Glibc
import MediaModel
import Refreshing
import Synchronization

@testable import Fetching

/// Answers fetches without a network, each on a thread of its own, and keeps a list of what was asked for.
final class FakeOrigin: MediaFetching {
    typealias Answer = @Sendable (String) -> Result<[UInt8], FetchFault>

    private let answer: Answer
    private let asked = Mutex<[String]>([])
    private let next = Atomic<UInt64>(0)

    init(_ answer: @escaping Answer) {
        self.answer = answer
    }

    /// URLs in the order in which they were asked for.
    var urls: [String] { asked.withLock { $0 } }

    func start(
        _ request: FetchRequest,
        completion: @escaping @Sendable (Result<FetchAnswer, FetchFault>) -> Void
    ) -> FetchTicket {
        asked.withLock { $0.append(request.url) }
        let answer = answer
        Thread.start {
            switch answer(request.url) {
            case .failure(let fault): completion(.failure(fault))
            case .success(let bytes):
                var body = bytes
                if case .file(let descriptor) = request.body {
                    let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
                    precondition(written == bytes.count)
                    body = []
                }
                completion(
                    .success(
                        FetchAnswer(
                            status: 200,
                            finalURL: request.url,
                            byteCount: Int64(bytes.count),
                            contentType: "application/activity+json",
                            dispositionName: nil,
                            body: body,
                            redirects: 0,
                            firstByteNanoseconds: 1_000_000,
                            totalNanoseconds: 1_000_000
                        )
                    )
                )
            }
        }
        return FetchTicket(number: next.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    func cancel(_ ticket: FetchTicket) {}
}

/// A thread that runs one closure.
enum Thread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        guard let raw else { return nil }
        Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
        return nil
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, main, Unmanaged.passRetained(Body(run)).toOpaque())
        precondition(result == 0)
        pthread_detach(thread)
    }
}
