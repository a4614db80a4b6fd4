import Fetching
import Glibc
import MediaModel
import MediasyncTesting
import Pacing
import Synchronization
import Testing

@Suite struct FetchEngineTests {
    @Test("a file arrives byte for byte, with what the server says of it")
    func memory() async throws {
        let lab = try Lab(content: { _ in
            .status(
                200,
                headers: ["Content-Type: image/webp", "Content-Disposition: inline; FileName=\"a b.webp\"; x=1"],
                body: Lab.png
            )
        })
        let answer = try #require(await lab.fetch("/a/b.png?q=1").answer)
        #expect(answer.body == Lab.png)
        #expect(answer.status == 200)
        #expect(answer.byteCount == Int64(Lab.png.count))
        #expect(answer.contentType == "image/webp")
        #expect(answer.dispositionName == Array("a b.webp".utf8))
        #expect(answer.finalURL == lab.origin.url("/a/b.png?q=1"))
        #expect(answer.redirects == 0)
        #expect(answer.totalNanoseconds >= answer.firstByteNanoseconds)
        #expect(answer.firstByteNanoseconds > 0)
        let request = try #require(lab.origin.log.first?.request)
        #expect(request.headers["user-agent"] == "mediasync/test")
        #expect(request.headers["accept-encoding"] == nil)
        #expect(request.headers["cookie"] == nil)
        #expect(request.target == "/a/b.png?q=1")
    }

    @Test("a file is written from its beginning, and cut where a longer one was")
    func file() async throws {
        let bytes = SeededGenerator.bytes(300_000, seed: 5)
        let lab = try Lab(content: { _ in .body(bytes) })
        let directory = try TemporaryDirectory()
        let path = directory.path / "body"
        try Disk.write(path, [UInt8](repeating: 1, count: 400_000))
        let descriptor = open(path.description, O_RDWR)
        defer { close(descriptor) }
        lseek(descriptor, 77, SEEK_SET)
        let request = FetchRequest(url: lab.origin.url("/f"), byteLimit: 300_000, body: .file(descriptor: descriptor))
        let answer = try #require(await lab.fetch(request).answer)
        #expect(answer.body == [])
        #expect(answer.byteCount == 300_000)
        #expect(try Disk.read(path) == bytes)
    }

    @Test("a file that cannot be written fails the fetch")
    func unwritable() async throws {
        let lab = try Lab()
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let request = FetchRequest(url: lab.origin.url("/f"), byteLimit: 1000, body: .file(descriptor: descriptor))
        #expect(await lab.fetch(request).fault?.kind == .writing)
    }

    @Test("the limit of bytes is exact, with and without an announced length", arguments: [true, false])
    func limit(announced: Bool) async throws {
        let bytes = [UInt8](repeating: 7, count: 5000)
        let lab = try Lab(content: { _ in
            announced ? .body(bytes) : .steps([.text("HTTP/1.1 200 OK\r\n\r\n"), .send(bytes), .close])
        })
        #expect(await lab.fetch("/", limit: 5000).answer?.body == bytes)
        #expect(await lab.fetch("/", limit: 4999).fault?.kind == .tooLarge)
    }

    @Test("an empty answer is an answer")
    func empty() async throws {
        let lab = try Lab(content: { $0.path == "/204" ? .status(204) : .body([]) })
        #expect(await lab.fetch("/").answer?.byteCount == 0)
        #expect(await lab.fetch("/204").answer?.status == 204)
    }

    @Test("connections are kept, also after errors and redirects")
    func keepAlive() async throws {
        let lab = try Lab(content: { request in
            switch request.path {
            case "/gone": .status(404, body: Lab.png)
            case "/moved": .status(302, headers: ["Location: /there"], body: Lab.png)
            default: .body(Lab.png)
            }
        })
        // libcurl gives up a connection that nobody used for 118 s, and on a busy machine a test may stand as long.
        var breaks = 0
        for _ in 0..<10 {
            let began = ContinuousClock.now
            #expect(await lab.fetch("/good").answer != nil)
            #expect(await lab.fetch("/gone").fault?.kind == .status(404))
            #expect(await lab.fetch("/moved").answer?.redirects == 1)
            breaks += Int((ContinuousClock.now - began) / .seconds(100))
        }
        #expect(lab.origin.connections <= 1 + breaks)
    }

    @Test("a connection that the server closed meanwhile is no error")
    func closedMeanwhile() async throws {
        let lab = try Lab(content: { _ in
            .steps([.text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), .close])
        })
        for _ in 0..<20 { #expect(await lab.fetch("/").answer?.body == Array("ok".utf8)) }
    }

    // MARK: Statuses

    @Test(
        "each status has its verdict",
        arguments: [
            (404, .gone), (410, .gone), (400, .final), (401, .final), (403, .final), (451, .final), (405, .final),
            (408, .retry), (425, .retry), (429, .retry), (500, .retry), (502, .retry), (503, .retry), (504, .retry),
            (304, .final),
        ] as [(Int, FetchFault.Verdict)]
    )
    func verdicts(status: Int, verdict: FetchFault.Verdict) async throws {
        let lab = try Lab(content: { _ in .status(status, headers: ["Content-Length: 0"]) })
        let fault = try #require(await lab.fetch("/").fault)
        #expect(fault.kind == .status(status))
        #expect(fault.verdict == verdict)
    }

    @Test(
        "how long to leave the server alone is understood in every form",
        arguments: [
            (429, ["Retry-After: 17"], 17), (503, ["Retry-After: 5"], 5),
            (429, ["Date: Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After: Tue, 24 Nov 2026 10:02:00 GMT"], 120),
            (429, ["Date: Tue, 24 Nov 2026 10:00:00 GMT", "X-RateLimit-Reset: 2026-11-24T10:05:00.123456Z"], 300),
            (429, ["Retry-After: soon"], nil), (429, [], nil), (404, ["Retry-After: 9"], 9),
        ] as [(Int, [String], Int?)]
    )
    func retryAfter(status: Int, headers: [String], seconds: Int?) async throws {
        let lab = try Lab(content: { _ in .status(status, headers: headers) })
        let fault = try #require(await lab.fetch("/").fault)
        #expect(fault.retryAfter == seconds.map { .seconds($0) })
        if status != 404 { #expect(fault.paceEnding == .throttled(retryAfter: fault.retryAfter)) }
    }

    // MARK: Redirects

    @Test("a redirect to another host is handed back where that is asked for; limits and circles hold over all parts")
    func handedBack() async throws {
        let origin = try OriginServer { request in
            switch (request.host, request.path) {
            case ("a.example", "/file"): .status(302, headers: ["Location: http://B.example/file"])
            case ("b.example", "/file"): .status(302, headers: ["Location: /whole"])
            case ("b.example", "/whole"): .body(Lab.png)
            case ("a.example", "/circle"): .status(302, headers: ["Location: http://b.example/circle"])
            case ("b.example", "/circle"): .status(302, headers: ["Location: http://a.example/circle"])
            default: .status(302, headers: ["Location: http://\(request.path.dropFirst()).example/x\(request.path)"])
            }
        }
        let engine = try FetchEngine(Lab.options { $0.connectTo = origin.place })
        func part(_ url: String, _ redirect: FetchRedirect?) async -> Result<FetchAnswer, FetchFault> {
            var request = FetchRequest(url: url, byteLimit: 1000, body: .memory)
            request.followsToOtherHosts = false
            if let redirect { request.goOn(at: redirect) }
            do throws(FetchFault) { return .success(try await engine.fetch(request)) } catch { return .failure(error) }
        }
        let first = await part("http://a.example/file", nil).fault
        #expect(first?.kind == .redirected)
        #expect(first?.redirect?.url == "http://b.example/file")
        #expect(first?.requests == 1)
        if case .answered? = first?.paceEnding {} else { Issue.record("the host answered") }
        #expect(origin.log.map(\.request.host) == ["a.example"])
        let second = await part("http://a.example/file", first?.redirect).answer
        #expect(second?.body == Lab.png)
        #expect(second?.finalURL == "http://b.example/whole")
        #expect(second?.redirects == 2)
        #expect(second?.requests == 2)
        let circle = await part("http://a.example/circle", nil).fault?.redirect
        #expect(await part("", circle).fault?.kind == .badRedirect)
        // The fourth redirect is one too many, whoever followed the three before.
        var redirect: FetchRedirect?
        for _ in 0..<3 {
            let fault = await part("http://start.example/next", redirect).fault
            #expect(fault?.kind == .redirected)
            redirect = fault?.redirect
        }
        #expect(await part("", redirect).fault?.kind == .tooManyRedirects)
    }

    @Test("three redirects are followed, a fourth is not", arguments: [(0, true), (1, true), (3, true), (4, false)])
    func redirects(count: Int, arrives: Bool) async throws {
        let lab = try Lab(content: { request in
            let left = Int(request.path.dropFirst()) ?? 0
            return left == 0 ? .body(Lab.png) : .status(301, headers: ["Location: \(left - 1)"])
        })
        let result = await lab.fetch("/\(count)")
        if arrives {
            #expect(result.answer?.redirects == count)
            #expect(result.answer?.finalURL == lab.origin.url("/0"))
        } else {
            #expect(result.fault?.kind == .tooManyRedirects)
        }
    }

    @Test("cookies, and headers for one address, are not carried on; headers for all are")
    func carriedOn() async throws {
        let lab = try Lab(content: { request in
            request.path == "/a"
                ? .status(302, headers: ["Location: /b", "Set-Cookie: secret=1; Path=/"]) : .body(Lab.png)
        })
        var request = FetchRequest(
            url: lab.origin.url("/a"),
            byteLimit: 1000,
            body: .memory,
            headers: [FetchHeader("X-All", "yes")]
        )
        request.headersForURL = { [FetchHeader("X-One", $0.target)] }
        #expect(await lab.fetch(request).answer != nil)
        let log = lab.origin.log.map(\.request)
        #expect(log.map { $0.headers["x-all"] } == ["yes", "yes"])
        #expect(log.map { $0.headers["x-one"] } == ["/a", "/b"])
        #expect(log.allSatisfy { $0.headers["cookie"] == nil })
        // And the next request knows nothing of the last one's.
        #expect(await lab.fetch("/c").answer != nil)
        #expect(lab.origin.log.last?.request.headers["x-all"] == nil)
    }

    @Test("a header that would be two is refused")
    func headerInjection() async throws {
        let lab = try Lab()
        let request = FetchRequest(
            url: lab.origin.url("/a"),
            byteLimit: 1000,
            body: .memory,
            headers: [FetchHeader("X", "a\r\nY: b")]
        )
        #expect(await lab.fetch(request).fault?.kind == .badURL)
        #expect(lab.origin.log.isEmpty)
    }

    // MARK: Ending

    @Test("a cancelled task ends its fetch at once")
    func cancelledTask() async throws {
        let lab = try Lab {
            $0.deadlines.firstByte = .seconds(60); $0.deadlines.total = .seconds(60)
        }
        let task = Task { await lab.fetch("/hang") }
        // Others wait on the same few threads: this one must not hold one.
        let deadline = ContinuousClock.now + .seconds(60)
        while lab.origin.connections == 0, ContinuousClock.now < deadline { await Task.yield() }
        #expect(lab.origin.connections == 1)
        task.cancel()
        #expect(await task.value.fault?.kind == .cancelled)
    }

    @Test("cancelling what waits for a slot, what has ended, and what never was")
    func cancelling() async throws {
        let lab = try Lab {
            $0.inFlight = 1; $0.deadlines.firstByte = .seconds(60); $0.deadlines.total = .seconds(60)
        }
        let endings = Endings()
        func start(_ path: String) -> FetchTicket {
            lab.engine.start(FetchRequest(url: lab.origin.url(path), byteLimit: 1000, body: .memory)) { result in
                if result.fault?.kind == .cancelled { endings.add(UInt64(path.count)) }
            }
        }
        let first = start("/hang")
        let second = start("/hang/and-wait")
        lab.engine.cancel(second)
        #expect(RunningProgram.eventually { endings.all.count == 1 })
        lab.engine.cancel(first)
        #expect(RunningProgram.eventually { endings.all.count == 2 })
        lab.engine.cancel(first)
        #expect(await lab.fetch("/good").answer != nil)
        #expect(endings.all.values.allSatisfy { $0 == 1 })
    }

    @Test("shutting down ends everything before it returns; afterwards nothing starts")
    func shutDown() async throws {
        let lab = try Lab { $0.inFlight = 4 }
        let ended = Atomic<Int>(0)
        for _ in 0..<20 {
            _ = lab.engine.start(FetchRequest(url: lab.origin.url("/hang"), byteLimit: 10, body: .memory)) { _ in
                ended.wrappingAdd(1, ordering: .relaxed)
            }
        }
        lab.engine.shutDown()
        #expect(ended.load(ordering: .relaxed) == 20)
        #expect(await lab.fetch("/good").fault?.kind == .cancelled)
        lab.engine.shutDown()
    }

    @Test("whatever is cancelled when, each fetch ends exactly once")
    func storm() async throws {
        let lab = try Lab { $0.inFlight = 32 }
        let endings = Endings()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var tickets: [FetchTicket] = []
        let paths = ["/good", "/hang", "/loop", "/reset-at-once", "/nowhere", "/short", "/long"]
        for number in 0..<1500 as Range<UInt64> {
            let path = paths[Int.random(in: 0..<paths.count, using: &random)]
            let request = FetchRequest(url: lab.origin.url(path), byteLimit: 5000, body: .memory)
            tickets.append(lab.engine.start(request) { _ in endings.add(number) })
            if random.chance(60) { lab.engine.cancel(tickets[Int.random(in: 0..<tickets.count, using: &random)]) }
        }
        for ticket in tickets { lab.engine.cancel(ticket) }
        lab.engine.shutDown()
        #expect(endings.all.count == 1500, "seed \(seed)")
        #expect(endings.all.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }

    // MARK: Limits

    @Test("no more are under way than allowed")
    func inFlight() async throws {
        let lab = try Lab({ $0.inFlight = 5 }, content: { _ in .late(seconds: 0.01, .body(Lab.png)) })
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask { #expect(await lab.fetch("/\(number)").answer != nil) }
            }
        }
        #expect(lab.origin.log.mostInFlight(host: "127.0.0.1") <= 5)
        #expect(lab.origin.connections <= 5)
    }

    @Test("the limit of bytes a second holds over all transfers, and lets every one arrive")
    func bandwidth() async throws {
        let bytes = SeededGenerator.bytes(200_000, seed: 9)
        let lab = try Lab(
            {
                $0.bytesPerSecond = 2_000_000
                $0.deadlines.total = .seconds(20)
            },
            content: { _ in .body(bytes) }
        )
        let begin = RunningProgram.now()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask { #expect(await lab.fetch("/\(number)").answer?.body == bytes) }
            }
        }
        let seconds = RunningProgram.now() - begin
        // Two million bytes at that rate, less what may gather beforehand.
        #expect(seconds > 0.8)
    }

    // MARK: Settings

    @Test("settings that cannot work are refused")
    func unusable() {
        let changes: [(inout FetchOptions) -> Void] = [
            { $0.inFlight = 0 }, { $0.userAgent = "a\nb" }, { $0.proxy = "socks5://a" }, { $0.redirects = -1 },
        ]
        for change in changes {
            #expect(throws: SyncError.self) { _ = try FetchEngine(Lab.options(change)) }
        }
    }

    @Test("Mastodon's variables are understood")
    func mastodon() throws {
        let values = [
            "LOCAL_DOMAIN": "example.social", "WEB_DOMAIN": "web.example.social", "http_proxy": "http://proxy:3128",
            "ALLOWED_PRIVATE_ADDRESSES": "10.0.0.0/8, fd00::1 127.0.0.1",
        ]
        let options = try FetchOptions(version: "1.2", mastodon: { values[$0] })
        #expect(options.userAgent == "mediasync/1.2 (Mastodon media; +https://web.example.social/)")
        #expect(options.proxy == "http://proxy:3128")
        #expect(options.allowedPrivateAddresses.count == 3)
        #expect(!options.allowsHiddenServices)
        for (name, value) in [("ALLOWED_PRIVATE_ADDRESSES", "10.0.0.0/40"), ("WEB_DOMAIN", "a\r\nb")] {
            #expect(throws: SyncError.self) {
                _ = try FetchOptions(version: "1", mastodon: { $0 == name ? value : nil })
            }
        }
    }
}
