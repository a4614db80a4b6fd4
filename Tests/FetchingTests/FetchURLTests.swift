import Testing

@testable import Fetching

@Suite struct FetchURLTests {
    @Test(
        "addresses come out in one form",
        arguments: [
            ("http://example.com", "http://example.com/"),
            ("HTTP://EXAMPLE.com:80/A", "http://example.com/A"),
            ("https://example.com:443/a?b#c", "https://example.com/a?b"),
            ("https://example.com:8443/", "https://example.com:8443/"),
            ("https://b\u{FC}cher.example/", "https://xn--bcher-kva.example/"),
            ("http://example.com/a b", "http://example.com/a%20b"),
            ("http://example.com/\u{E9}.png", "http://example.com/%C3%A9.png"),
            ("http://example.com/%c3%a9%7Euser/%41", "http://example.com/%C3%A9~user/A"),
            ("http://example.com/a/../b/./c/..", "http://example.com/b/"),
            ("http://example.com/%2e%2e/%2E/x", "http://example.com/x"),
            ("http://example.com/../../x", "http://example.com/x"),
            ("http://example.com/a%2Fb", "http://example.com/a%2Fb"),
            ("http://example.com/100%", "http://example.com/100%25"),
            ("http://example.com/?a=b+c,d&e=%2B%20&f=[]", "http://example.com/?a=b+c,d&e=%2B%20&f=%5B%5D"),
            ("http://example.com/?b=2&a=1", "http://example.com/?b=2&a=1"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://[::1]:81/", "http://[::1]:81/"),
        ]
    )
    func normalised(text: String, expected: String) throws {
        let url = try FetchURL(text)
        #expect(url.text == expected)
        #expect(try FetchURL(url.text).text == expected)
    }

    @Test(
        "what cannot be asked for is refused",
        arguments: [
            "", " ", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://a/",
            "javascript:1",
            "data:text/plain,a", "http://", "http:///a", "http:/a/", "http:a/", "http://user@example.com/",
            "http://user:pass@example.com/",
            "http://example.com:0/", "http://example.com:99999/", "http://example.com:port/", "http://exa mple.com/",
            "http://example.com/a\nb", "http://example.com/\u{0}", "http://exam\u{7F}ple.com/", "http://[::1%25lo]/",
            "http://[::zz]/", "http://a<b>.example/", "http://example.com\\@evil.example/", "http://:@example.com/",
            "http://example.com/" + String(repeating: "a", count: 9000),
        ]
    )
    func refused(text: String) {
        #expect(throws: FetchFault.self) { _ = try FetchURL(text) }
    }

    @Test(
        "references are read beside the address they stand in",
        arguments: [
            ("/x", "https://a.example/x"), ("x", "https://a.example/b/x"), ("../x", "https://a.example/x"),
            ("?q", "https://a.example/b/c?q"), ("//other.example/x", "https://other.example/x"),
            ("http://other.example", "http://other.example/"), ("https://a.example:444/", "https://a.example:444/"),
        ]
    )
    func relative(reference: String, expected: String) throws {
        let base = try FetchURL("https://a.example/b/c?d")
        #expect(try FetchURL(bytes: Array(reference.utf8), base: base).text == expected)
    }

    @Test("any bytes either make an address of http or https, or are refused")
    func anyBytes() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededBytes(seed: seed)
        let pieces = [
            "http://", "https:", "//", "a", ".", "@", ":", "/", "?", "#", "%", "[", "]", "\\", " ", "\u{E9}", "..",
            "80",
        ]
        for _ in 0..<5000 {
            var bytes = Array("http://".utf8)
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                if Bool.random(using: &random) {
                    bytes += Array(pieces[Int.random(in: 0..<pieces.count, using: &random)].utf8)
                } else {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            guard let url = try? FetchURL(bytes: bytes, base: nil) else { continue }
            let plain = url.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            #expect(plain && !url.host.isEmpty, "seed \(seed): \(bytes)")
            let authority = url.text.dropFirst("http://".count).prefix { $0 != "/" }
            #expect([url.host, "\(url.host):\(url.port)"].contains(String(authority)), "seed \(seed): \(bytes)")
            #expect((try? FetchURL(url.text))?.text == url.text, "seed \(seed): \(bytes)")
        }
    }
}

private struct SeededBytes: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite struct HTTPDateTests {
    @Test(
        "the three forms of a date are read",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2028 23:59:59 GMT", 1_835_481_599), ("Tue, 24 Nov 2026 10:00:00 GMT", 1_795_514_400),
        ] as [(String, Int64)]
    )
    func read(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text.utf8) == seconds)
        if text.hasSuffix("GMT"), text.dropFirst(3).hasPrefix(",") {
            #expect(HTTPDate.text(secondsSince1970: seconds) == text)
        }
    }

    @Test(
        "what is no date is none",
        arguments: [
            "", "now", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT",
            String(repeating: "1", count: 100),
        ]
    )
    func none(text: String) {
        #expect(HTTPDate.parse(text.utf8) == nil)
    }

    @Test(
        "Mastodon's form is read",
        arguments: [
            ("2026-11-24T10:00:00Z", 1_795_514_400), ("2026-11-24T10:00:00.123456Z", 1_795_514_400),
            ("2026-11-24T10:00:00+00:00", 1_795_514_400), ("2026-11-24T10:00:00+02:00", nil),
            ("2026-13-24T10:00:00Z", nil),
            ("2026-11-24 10:00:00Z", nil), ("", nil),
        ] as [(String, Int64?)]
    )
    func iso(text: String, seconds: Int64?) {
        #expect(HTTPDate.parseISO(text.utf8) == seconds)
    }
}

@Suite struct RetryAfterTests {
    @Test(
        "seconds, dates and resets become a time to wait",
        arguments: [
            ("120", nil, .seconds(120)), ("0", nil, .seconds(0)),
            ("99999999999999999999999", nil, .seconds(366 * 86_400)),
            ("-5", nil, nil), ("1.5", nil, nil), ("", nil, nil), (nil, nil, nil),
            ("Thu, 01 Jan 1970 00:30:00 GMT", nil, .seconds(800)), ("Thu, 01 Jan 1970 00:00:00 GMT", nil, .seconds(0)),
            (nil, "1970-01-01T00:20:00Z", .seconds(200)), (nil, "30", .seconds(30)),
            (nil, "5000000000", .seconds(366 * 86_400)),
            ("7", "30", .seconds(7)), ("soon", "30", .seconds(30)),
        ] as [(String?, String?, Duration?)]
    )
    func forms(retryAfter: String?, reset: String?, expected: Duration?) {
        let found = RetryAfter.duration(
            retryAfter: retryAfter.map { Array($0.utf8) },
            rateLimitReset: reset.map { Array($0.utf8) },
            date: nil,
            now: 1000
        )
        #expect(found == expected)
    }
}
