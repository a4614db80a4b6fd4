import Catalog
import Fetching
import MediaModel
import MediasyncTesting
import Pacing
import Running
import Storage
import Synchronization
import Testing

@testable import Refreshing

/// What servers see of a run, by their own log: real HTTP, real pace.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct PolitenessTests {
    private static let file = OriginAnswer.body(Array("jpeg of a picture".utf8), type: "image/jpeg")

    /// Hosts by name, all of them this origin.
    private func engine(_ origin: OriginServer) throws -> FetchEngine {
        var options = FetchOptions(userAgent: "mediasync/test")
        options.allowedPrivateAddresses = ["127.0.0.0/8"].compactMap { AddressRange($0) }
        options.connectTo = origin.place
        return try FetchEngine(options)
    }

    private func options(perHost: Int, rate: Double) -> RefreshOptions {
        var options = RefreshFixture.everything([.attachment])
        options.scope.domains = ["pace.example"]
        options.pace.perHost = perHost
        options.pace.perHostMaximum = perHost
        options.pace.rate = rate
        return options
    }

    private func fixture(_ name: String, _ urls: [String]) throws -> RefreshFixture {
        let fixture = try RefreshFixture(name)
        try fixture.sql(
            "INSERT INTO accounts (id, username, domain, created_at, updated_at) VALUES (200, 'p', 'pace.example', now(), now())"
        )
        try fixture.add(urls, account: 200, hasFiles: false)
        return fixture
    }

    private func times(_ origin: OriginServer, _ host: String) -> [Double] {
        origin.log.filter { $0.request.host == host }.map(\.request.at).sorted()
    }

    @Test("what many hosts redirect to one is fetched there at that one's pace, and items wait for their turn")
    func redirects() async throws {
        let crowd = OriginCrowd()
        let origin = try OriginServer { request in
            request.host == "cdn.example"
                ? crowd.during("cdn.example", Self.file)
                : .status(302, headers: ["Location: http://cdn.example\(request.path)"])
        }
        let urls = (0..<24).map { "http://h\($0 % 8).example/f\($0)" }
        let fixture = try fixture("polite_redirects", urls)
        let (result, _, _) = try await fixture.run(options(perHost: 2, rate: 10), origin: try engine(origin))
        #expect(result.exitStatus == .done)
        #expect(result.counts.fetched == 24)
        #expect(origin.log.count == 48)
        #expect(crowd.most("cdn.example") <= 2)
        // 24 requests at 10 a second are 2.3 seconds from the first to the last; each of the eight hosts alone is done in 0.2.
        let asked = times(origin, "cdn.example")
        #expect((asked.last ?? 0) - (asked.first ?? 0) > 1.2)
        #expect(try fixture.audit().orphans == [])
    }

    @Test("a redirect's target that does not answer costs its own items, not those of the host that leads there")
    func deadTarget() async throws {
        let origin = try OriginServer { request in
            switch request.host {
            case "dead.example": .steps([.reset])
            case "a.example" where request.path.hasSuffix("0"):
                .status(302, headers: ["Location: http://dead.example\(request.path)"])
            default: Self.file
            }
        }
        let fixture = try fixture("dead_target", (100..<130).map { "http://a.example/f\($0)" })
        var options = options(perHost: 4, rate: 1000)
        options.pace.breakerBackoff = Backoff(first: .milliseconds(1), cap: .milliseconds(1))
        let (result, ears, _) = try await fixture.run(options, origin: try engine(origin))
        #expect(result.counts.fetched == 27)
        #expect(result.counts.failed == 3)
        #expect(ears.items.filter { $0.hasPrefix("failed") }.count == 3)
        #expect(times(origin, "a.example").count == 30)
    }

    @Test(
        "a host that says when to come back is left alone until then, whoever led there; others go on",
        arguments: ["seconds", "date"]
    )
    func retryAfter(form: String) async throws {
        let isFirst = Atomic<Bool>(true)
        let origin = try OriginServer { request in
            switch request.host {
            case "a.example": .status(302, headers: ["Location: http://limited.example\(request.path)"])
            case "limited.example" where isFirst.exchange(false, ordering: .relaxed):
                .status(
                    429,
                    headers: form == "seconds"
                        ? ["Retry-After: 2"]
                        : [
                            "Date: Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After: Tue, 24 Nov 2026 10:00:02 GMT",
                        ]
                )
            default: Self.file
            }
        }
        let urls = (0..<4).map { "http://a.example/f\($0)" } + (4..<12).map { "http://b.example/f\($0)" }
        let fixture = try fixture("retry_after_\(form)", urls)
        var options = options(perHost: 1, rate: 1000)
        options.triesMax = 3
        options.pace.firstPerHost = 1
        let (result, _, _) = try await fixture.run(options, origin: try engine(origin))
        #expect(result.exitStatus == .done)
        #expect(result.counts.fetched == 12)
        let asked = times(origin, "limited.example")
        try #require(asked.count == 5)
        #expect(asked[1] - asked[0] >= 2)
        #expect((times(origin, "b.example").last ?? .infinity) < asked[1])
    }

    @Test("a domain that Mastodon could not reach for a week is asked once before its other items")
    func unavailable() async throws {
        let fixture = try fixture("unavailable", (0..<12).map { "http://\($0 < 6 ? "out" : "in").example/f\($0)" })
        try fixture.sql(
            "INSERT INTO unavailable_domains (domain, created_at, updated_at) VALUES ('out.example', now(), now())"
        )
        let origin = try OriginServer { request in request.host == "out.example" ? .steps([.reset]) : Self.file }
        var options = options(perHost: 4, rate: 1000)
        options.pace.breakerBackoff = Backoff(first: .milliseconds(1), cap: .milliseconds(1))
        let (result, _, _) = try await fixture.run(options, origin: try engine(origin))
        #expect(result.counts.fetched == 6)
        #expect(result.counts.failed == 6)
        // A new host that is not on the list would be asked by two, and once more.
        #expect(times(origin, "out.example").count == 1)
    }
}
