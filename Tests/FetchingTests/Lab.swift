import Fetching
import Glibc
import MediaModel
import MediasyncTesting
import Synchronization
import Testing

/// An origin and an engine that may reach it.
struct Lab {
    let origin: OriginServer
    let engine: FetchEngine

    static let png = Array("not really a picture, but bytes".utf8)

    init(
        _ change: (inout FetchOptions) -> Void = { _ in },
        content: @escaping OriginServer.Content = { request in
            OriginBehaviour.named(request.path)?.answer(to: request) ?? .body(Lab.png, type: "image/png")
        }
    ) throws {
        origin = try OriginServer(content: content)
        engine = try FetchEngine(Self.options(change))
    }

    static func options(_ change: (inout FetchOptions) -> Void = { _ in }) -> FetchOptions {
        var options = FetchOptions(userAgent: "mediasync/test")
        options.allowedPrivateAddresses = ["127.0.0.0/8"].compactMap { AddressRange($0) }
        options.deadlines.connect = .seconds(5)
        options.deadlines.firstByte = .milliseconds(500)
        options.deadlines.silence = .milliseconds(500)
        options.deadlines.total = .milliseconds(1500)
        change(&options)
        return options
    }

    func fetch(_ path: String, limit: Int64 = 1 << 20) async -> Result<FetchAnswer, FetchFault> {
        await fetch(url: origin.url(path), limit: limit)
    }

    func fetch(url: String, limit: Int64 = 1 << 20) async -> Result<FetchAnswer, FetchFault> {
        await fetch(FetchRequest(url: url, byteLimit: limit, body: .memory))
    }

    func fetch(_ request: FetchRequest) async -> Result<FetchAnswer, FetchFault> {
        do throws(FetchFault) {
            return .success(try await engine.fetch(request))
        } catch {
            return .failure(error)
        }
    }
}

extension Result where Success == FetchAnswer, Failure == FetchFault {
    var answer: FetchAnswer? { try? get() }

    var fault: FetchFault? {
        if case .failure(let fault) = self { fault } else { nil }
    }
}

/// Counts what ends.
final class Endings: Sendable {
    private let counts = Mutex<[UInt64: Int]>([:])
    func add(_ number: UInt64) { counts.withLock { $0[number, default: 0] += 1 } }
    var all: [UInt64: Int] { counts.withLock { $0 } }
}
