import Catalog
import Fetching
import MediaModel
import MediasyncTesting
import Pacing
import Running
import Storage
import Testing

@testable import Refreshing

/// Every way in which a stranger's server fails, over rows whose old files are good.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct StrangerTests {
    private static let statuses = [400, 401, 403, 404, 408, 410, 418, 425, 429, 451, 500, 502, 503, 504, 520, 599]
    private static let gone = [404, 410]

    @Test("whatever a server does, the rows and the files that were there are as they were", .timeLimit(.minutes(2)))
    func everything() async throws {
        let origin = try OriginServer { request in
            if let behaviour = OriginBehaviour.named(request.path) { return behaviour.answer(to: request) }
            guard let status = Int(request.path.dropFirst()) else { return .body(Array("jpeg of a picture".utf8)) }
            return .status(status, body: Array("no".utf8))
        }
        let fixture = try RefreshFixture("strangers")
        let bad = OriginBehaviour.allCases.map { "/\($0.rawValue)" } + Self.statuses.map { "/\($0)" }
        let addresses = [
            "http://10.0.0.1/x", "http://[::1]:\(origin.port)/x", "http://0x7f000002:\(origin.port)/x",
            "ftp://a.example/x",
            "http://user:secret@127.0.0.1/x", "http://a.example:99999/x", "http://abc.onion/x", "nonsense",
            "http://127.0.0.1:1/x", "http://does-not-exist.invalid/x",
        ]
        try fixture.add(["/good"].map { origin.url($0) } + bad.map { origin.url($0) } + addresses)
        let rows = try fixture.rows("media_attachments")
        let files = fixture.store.paths
        var options = RefreshFixture.everything([.attachment])
        options.scope.rows = [.attachment: (1001..<Int64(1001 + bad.count + addresses.count)).map { $0 }]
        options.force = true
        // The host is none that is left alone: every item has its turn.
        options.pace.perHost = 100
        options.pace.perHostMaximum = 100
        options.pace.firstPerHost = 100
        options.pace.breakerThreshold = 1000
        options.pace.throttleBackoff = Backoff(first: .milliseconds(1), cap: .milliseconds(1))
        var fetch = FetchOptions(userAgent: "mediasync/test")
        fetch.allowedPrivateAddresses = ["127.0.0.1"].compactMap { AddressRange($0) }
        fetch.deadlines.connect = .seconds(5)
        fetch.deadlines.firstByte = .milliseconds(500)
        fetch.deadlines.silence = .milliseconds(500)
        fetch.deadlines.total = .seconds(2)
        let engine = try FetchEngine(fetch)
        let (result, ears, _) = try await fixture.run(options, origin: engine)
        engine.shutDown()
        #expect(result.error == nil)
        #expect(result.counts.gone == Self.gone.count + 1, "404, 410, and 404 without an end: \(ears.items)")
        #expect(result.counts.failed == bad.count + addresses.count - Self.gone.count - 1)
        #expect(result.counts.fetched == 0)
        #expect(try fixture.rows("media_attachments") == rows)
        #expect(fixture.store.paths == files)
        #expect(fixture.intents.left == [])
        // Nothing but this server was ever reached, and by no other address.
        #expect(origin.log.allSatisfy { $0.request.host == "127.0.0.1" })
        // A row that is not asked for is not looked at.
        #expect(origin.log.allSatisfy { $0.request.path != "/good" })
    }
}
