import MediaModel
import MediasyncTesting
import Synchronization
import Testing

/// What a hostile world does to whole runs of the built binary.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct RefreshHostileTests {
    // MARK: Contents

    /// What is sent instead of a picture. All of it is refused.
    private static func contents(_ picture: [UInt8]) -> [(name: String, bytes: [UInt8])] {
        let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        let noise = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        let box: [UInt8] = [0, 0, 0, 24]
        let texts: [(name: String, text: String)] = [
            ("html.jpg", "<!DOCTYPE html><script>alert(1)</script>"),
            ("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("script.svg", "<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
            ("list.mp4", playlist), ("concat.mp4", "ffconcat version 1.0\nfile /etc/passwd\n"),
            ("archive.jpg", "PK\u{3}\u{4}"),
            ("program.mp4", "\u{7F}ELF"), ("empty.jpg", ""),
        ]
        let others: [(name: String, bytes: [UInt8])] = [
            ("one.jpg", [0xFF]), ("noise.png", noise), ("half.jpg", Array(picture.prefix(picture.count / 2))),
            ("head.jpg", Array(picture.prefix(300))),
            ("damaged.jpg", Array(picture.prefix(700)) + [UInt8](repeating: 0, count: 5000)),
            ("bomb.png", png(50_000, 50_000)), ("wide.png", png(65_500, 600)), ("hollow.png", png(100, 100)),
            ("screen.gif", gif(65_535, 65_535, 1, 1)), ("frame.gif", gif(1, 1, 65_535, 65_535)),
            ("moving.gif", gif(2000, 2000, 1, 1)), ("box.mp4", box + Array("ftypisom".utf8) + noise),
        ]
        return texts.map { ($0.name, Array($0.text.utf8)) } + others
    }

    private static func png(_ width: Int, _ height: Int) -> [UInt8] {
        func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 0xFF) } }
        // Checksums are never reached.
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let header: [UInt8] = big(13) + Array("IHDR".utf8) + big(width) + big(height)
        let traits: [UInt8] = [8, 2, 0, 0, 0, 0, 0, 0, 0]
        let rest: [UInt8] = big(0) + Array("IDAT".utf8) + big(0) + big(0) + Array("IEND".utf8) + big(0)
        return signature + header + traits + rest
    }

    private static func gif(_ width: Int, _ height: Int, _ frameWidth: Int, _ frameHeight: Int) -> [UInt8] {
        func little(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
        let start: [UInt8] = [0x2C, 0, 0, 0, 0]
        let pixels: [UInt8] = [0, 2, 2, 0x44, 0x01, 0]
        let frame: [UInt8] = start + little(frameWidth) + little(frameHeight) + pixels
        let colors: [UInt8] = [0x80, 0, 0, 0, 0, 0, 255, 255, 255]
        let head: [UInt8] = Array("GIF89a".utf8) + little(width) + little(height) + colors
        return head + frame + frame + [0x3B]
    }

    @Test("whatever a server sends for a picture, a good one that was there stays, and its row with it")
    func contents() throws {
        let picture = try RefreshLive.picture.get()
        let contents = Self.contents(picture)
        let isGood = Atomic<Bool>(true)
        let live = try RefreshLive("hostile_contents", attachments: contents.count) { request in
            let number = Int(request.path.prefix { $0 != "." }.dropFirst(2)) ?? 0
            if isGood.load(ordering: .relaxed) { return .body(picture) }
            return .body(contents[number - 1].bytes, type: "image/jpeg")
        }
        for (index, content) in contents.enumerated() {
            let end = content.name.split(separator: ".").last ?? ""
            try live.sql("UPDATE media_attachments SET remote_url = remote_url || '.\(end)' WHERE id = \(index + 1)")
        }
        // The names in the addresses are of other types than the pictures: some are refused for that alone.
        try live.sql("UPDATE media_attachments SET remote_url = replace(remote_url, '.mp4', '.jpg')")
        #expect(try live.run().exitCode == 0)
        for (index, content) in contents.enumerated() where content.name.hasSuffix("mp4") {
            try live.sql(
                "UPDATE media_attachments SET remote_url = replace(remote_url, '.jpg', '.mp4') WHERE id = \(index + 1)"
            )
        }
        #expect(try live.audit().named == contents.count)
        let rows = try live.sql("SELECT to_jsonb(m) FROM media_attachments m ORDER BY id")
        let files = try TreeSnapshot(of: live.root).entries.mapValues { [$0.inode, UInt64($0.size)] }
        isGood.store(false, ordering: .relaxed)
        let result = try live.run(RefreshLive.options + ["--force"])
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.text.contains("\(contents.count) failed"), "\(result.text)")
        #expect(try live.sql("SELECT to_jsonb(m) FROM media_attachments m ORDER BY id") == rows)
        let after = try TreeSnapshot(of: live.root).entries.mapValues { [$0.inode, UInt64($0.size)] }
        #expect(after == files)
        let audit = try live.audit()
        #expect(audit.broken == [] && audit.orphans == [])
    }

    // MARK: Names and proxies

    @Test("the environment's proxies are not used unless they are Mastodon's own variable")
    func proxies() throws {
        let live = try RefreshLive("hostile_proxy", attachments: 8)
        let picture = try RefreshLive.picture.get()
        let proxy = try OriginServer(address: "127.0.0.2") { _ in .body(picture) }
        var program = BinaryRunner.program()
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            program.environment[name] = "http://\(proxy.place)"
        }
        let result = try program.run(live.arguments(RefreshLive.options))
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(proxy.connections == 0)
        #expect(live.origin.log.count == 8)
        // What Mastodon would use is used, and no variable takes hosts out of it.
        live.origin.forget()
        program.environment["http_proxy"] = "http://\(proxy.place)"
        program.environment["NO_PROXY"] = "*"
        program.environment["no_proxy"] = "*"
        let through = try program.run(live.arguments(RefreshLive.options + ["--force"]))
        #expect(through.exitCode == 0, "\(through.errorText)")
        #expect(live.origin.log.isEmpty)
        #expect(proxy.log.count == 8)
        #expect(proxy.log.allSatisfy { $0.request.target.hasPrefix("http://\(live.origin.place)/m") })
    }

    @Test(
        "names that no server answers for hold up their own items only; the run ends at its limit all the same",
        .enabled(if: Requirement.canAnswerNames, "needs root and unshare"),
        .timeLimit(.minutes(2))
    )
    func silentNames() throws {
        let names = try TestNameServer(address: "127.53.53.1")
        let live = try RefreshLive("hostile_names", attachments: 40)
        try live.sql(
            "UPDATE media_attachments SET remote_url = 'http://host' || id || '.example/x' WHERE id % 2 = 0"
        )
        let program = BinaryRunner.program(wrapper: names.wrapper)
        let result = try program.run(live.arguments(RefreshLive.options + ["--max-duration", "3s"]), timeout: 60)
        #expect(!result.timedOut, "lookups that hang were waited for")
        #expect(result.exitCode == 5, "\(result.errorText)")
        let audit = try live.audit()
        #expect(audit.named == 20)
        #expect(audit.broken == [] && audit.orphans == [])
    }

    @Test(
        "a name that leads to a private address is not connected to, whatever it is called; one that leads to an allowed address is",
        .enabled(if: Requirement.canAnswerNames, "needs root and unshare")
    )
    func privateNames() throws {
        let picture = try RefreshLive.picture.get()
        let secret = try OriginServer(address: "127.0.0.7") { _ in .body(picture) }
        let names = try TestNameServer(
            address: "127.53.53.2",
            answers: [
                "media.example": "127.0.0.1", "inside.example": "127.0.0.7", "metadata.example": "169.254.169.254",
                "router.example": "192.168.1.1",
            ]
        )
        let live = try RefreshLive("hostile_private", attachments: 4)
        let addresses = [
            "http://media.example:\(live.origin.port)/m1", "http://inside.example:\(secret.port)/m2",
            "http://metadata.example/m3",
            "http://router.example/m4",
        ]
        for (index, address) in addresses.enumerated() {
            try live.sql("UPDATE media_attachments SET remote_url = '\(address)' WHERE id = \(index + 1)")
        }
        var program = BinaryRunner.program(wrapper: names.wrapper)
        program.environment["ALLOWED_PRIVATE_ADDRESSES"] = "127.0.0.1"
        let result = try program.run(live.arguments(RefreshLive.options + ["--json"]))
        #expect(live.origin.log.map(\.request.path) == ["/m1"])
        #expect(live.origin.log.first?.request.headers["host"] == "media.example:\(live.origin.port)")
        #expect(secret.connections == 0)
        #expect(
            result.text.contains("{\"type\":\"reason\",\"reason\":\"private address\",\"failed\":3}"),
            "\(result.text)"
        )
        #expect(try live.audit().named == 1)
    }

    // MARK: Time

    @Test(
        "a clock that is set back and forth neither stalls a run nor lets it ask too early",
        .enabled(if: ChangingClock.isInstalled, "needs faketime"),
        .timeLimit(.minutes(2))
    )
    func changingClock() throws {
        let clock = try ChangingClock("+1d")
        let picture = try RefreshLive.picture.get()
        let isFirst = Atomic<Bool>(true)
        let live = try RefreshLive("hostile_clock", attachments: 20) { _ in
            if isFirst.exchange(false, ordering: .relaxed) { return .status(429, headers: ["Retry-After: 2"]) }
            return .body(picture)
        }
        var program = BinaryRunner.program(wrapper: clock.wrapper)
        program.environment.merge(clock.environment) { $1 }
        let options = ["--all", "--rate", "20", "--per-host", "1", "--max-duration", "90s"]
        let running = try program.start(live.arguments(options))
        var jumps = 0
        while running.isRunning {
            jumps += 1
            try clock.set(jumps % 2 == 0 ? "+1d" : "-300d")
            RunningProgram.pause(milliseconds: 20)
        }
        let result = running.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(jumps > 20)
        let times = live.origin.log.map(\.request.at).sorted()
        try #require(times.count == 21)
        #expect(times[1] - times[0] >= 2)
        #expect((times.last ?? 0) - times[1] > 0.6)
        let audit = try live.audit()
        #expect(audit.named == 20 && audit.broken == [] && audit.orphans == [])
    }

    @Test(
        "--days counts from the database's clock, whatever this machine's says",
        .enabled(if: ChangingClock.isInstalled, "needs faketime")
    )
    func databaseClock() throws {
        let clock = try ChangingClock("-400d")
        let live = try RefreshLive("hostile_days", attachments: 1)
        var program = BinaryRunner.program(wrapper: clock.wrapper)
        program.environment.merge(clock.environment) { $1 }
        func yesterday() throws -> String {
            try live.sql("SELECT to_char(now() AT TIME ZONE 'utc' - interval '1 day', 'YYYY-MM-DD\"T\"HH24')")
        }
        let before = try yesterday()
        let result = try program.run(live.arguments(["--days", "1", "-n"]))
        let after = try yesterday()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect([before, after].contains { result.errorText.contains("received since \($0)") }, "\(result.errorText)")
    }

    // MARK: Others

    @Test("a second run on the same media or the same database ends at once with exit code 11 and asks nobody")
    func twoRuns() throws {
        let live = try RefreshLive("hostile_two", attachments: 4) { _ in .steps([.hang]) }
        let running = try BinaryRunner.program().start(live.arguments(RefreshLive.options))
        #expect(RunningProgram.eventually { live.origin.log.count >= 2 })
        let second = try live.run()
        #expect(second.exitCode == 11, "\(second.errorText)")
        // The same database with another root: the lock in the database.
        try Disk.makeDirectory(live.place.path / "other")
        let other = try live.run(RefreshLive.options + ["--media-root", (live.place.path / "other").description])
        #expect(other.exitCode == 11, "\(other.errorText)")
        let cleanup = try BinaryRunner.program().run(
            [
                BytePath("cleanup"), BytePath("--env-file"), live.place.path / ".env.production", BytePath("--days"),
                BytePath("1"),
            ]
        )
        #expect(cleanup.exitCode == 11, "\(cleanup.errorText)")
        // A dry run changes nothing, and needs no lock.
        #expect(try live.run(RefreshLive.options + ["-n"]).exitCode == 0)
        #expect(live.origin.log.count == 2)
        running.send(15)
        #expect(running.wait().exitCode == 143)
    }

    @Test(
        "beside a Mastodon that changes, deletes, makes and serves the same media, rows and files agree at the end",
        .timeLimit(.minutes(2))
    )
    func writer() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let live = try RefreshLive("hostile_writer", attachments: 120)
        let mastodon = try MastodonStandIn(live, seed: seed)
        let running = try BinaryRunner.program().start(live.arguments(["--all", "--rate", "40", "--per-host", "8"]))
        while running.isRunning { try mastodon.act(on: 1...130) }
        let result = running.wait()
        #expect(result.exitCode == 0, "seed \(seed): \(result.errorText)")
        let first = try live.audit()
        #expect(first.broken == [] && first.orphans == [], "seed \(seed), \(mastodon.deeds): \(result.text)")
        // Replacing good files while the same goes on.
        let second = try BinaryRunner.program().start(
            live.arguments(["--all", "--rate", "60", "--per-host", "8", "--force"])
        )
        while second.isRunning { try mastodon.act(on: 1...130) }
        let replaced = second.wait()
        #expect(replaced.exitCode == 0, "seed \(seed): \(replaced.errorText)")
        let audit = try live.audit()
        #expect(audit.broken == [] && audit.orphans == [], "seed \(seed), \(mastodon.deeds): \(replaced.text)")
        #expect(mastodon.deeds.values.reduce(0, +) > 20, "\(mastodon.deeds)")
        // Alone again, all that is left is fetched.
        #expect(try live.run().exitCode == 0)
        let rows = try live.sql("SELECT count(*) FROM media_attachments")
        let last = try live.audit()
        #expect(last.named == Int(rows) && last.broken == [] && last.orphans == [], "seed \(seed)")
    }

    @Test("256 transfers at a time take less than 192 MiB", .timeLimit(.minutes(2)))
    func memory() throws {
        let inFlight = 256
        let waiting = Atomic<Int>(0)
        let isFull = Atomic<Bool>(false)
        let part =
            Array("7A120\r\n".utf8) + Self.dot + [UInt8](repeating: 0x20, count: 500_000 - Self.dot.count)
            + Array("\r\n".utf8)
        let deadline = RunningProgram.now() + 60
        let live = try RefreshLive("hostile_memory", attachments: 2 * inFlight + 60) { request in
            let number = Int(request.path.dropFirst(2)) ?? 0
            let head = OriginStep.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let end = OriginStep.text("0\r\n\r\n")
            // The first ones are whole at once, so that the host is asked for more; then none is until all are under way.
            if number <= inFlight + 10 { return .steps([head, .send(part), end]) }
            if waiting.add(1, ordering: .relaxed).newValue >= inFlight { isFull.store(true, ordering: .relaxed) }
            let goesOn = OriginStep.sendUntil(Array("1\r\n \r\n".utf8), everySeconds: 0.5) {
                isFull.load(ordering: .relaxed) || RunningProgram.now() > deadline
            }
            return .steps([head, .send(part), goesOn, end])
        }
        let options = ["--all", "-j", "\(inFlight)", "--per-host", "\(inFlight)", "--rate", "5000", "--timeout", "100"]
        let running = try BinaryRunner.program().start(live.arguments(options))
        var peak = 0
        while running.isRunning {
            peak = max(peak, running.peakBytes)
            RunningProgram.pause(milliseconds: 5)
        }
        let result = running.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        let (wasFull, most) = (isFull.load(ordering: .relaxed), waiting.load(ordering: .relaxed))
        #expect(wasFull, "\(most) were under way at a time")
        #expect(peak > 0)
        #expect(peak < 192 << 20, "\(peak >> 20) MiB")
    }

    /// A whole JPEG of 8 x 8 pixels.
    private static let dot: [UInt8] = {
        // One code of one bit: category 0 of DC, end of block of AC.
        func codes(_ kind: UInt8) -> [UInt8] { [kind, 1] + [UInt8](repeating: 0, count: 16) }
        let quantization: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        let frame: [UInt8] = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]
        let huffman: [UInt8] = [0xFF, 0xC4, 0, 38] + codes(0x00) + codes(0x10)
        let scan: [UInt8] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x3F, 0xFF, 0xD9]
        return quantization + frame + huffman + scan
    }()
}
