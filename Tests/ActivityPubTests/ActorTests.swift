import Fetching
import MediaModel
import MediasyncTesting
import Testing

@testable import ActivityPub

@Suite struct JSONTests {
    @Test(
        "documents are read as RFC 8259 has them",
        arguments: [
            ("{}", .object([:])), (" [1, -2.5e+3,0] ", .array([.number("1"), .number("-2.5e+3"), .number("0")])),
            ("\"a\\u00e9\\n\\ud83d\\ude00\\/\"", .text("a\u{E9}\n\u{1F600}/")), ("true", .bool(true)), ("null", .null),
            ("{\"a\":1,\"a\":[false]}", .object(["a": .array([.bool(false)])])), ("\"\u{E9}\"", .text("\u{E9}")),
        ] as [(String, JSONValue)]
    )
    func read(text: String, expected: JSONValue) {
        #expect(JSONValue(Array(text.utf8)) == expected)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", " ", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", ".5", "1e", "+1", "nul", "truex",
            "\"a",
            "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "[1] 2", "'a'", "NaN", "-",
            "{\"a\":1,}",
            String(repeating: "[", count: 100_000),
            String(repeating: "{\"a\":", count: 40) + "1" + String(repeating: "}", count: 40),
            "[" + String(repeating: "1,", count: 100_001) + "1]",
        ]
    )
    func refused(text: String) {
        #expect(JSONValue(Array(text.utf8)) == nil)
    }

    @Test("bytes that are no text are refused; any bytes end")
    func anyBytes() {
        #expect(JSONValue([0x22, 0xFF, 0x22]) == nil)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:0123456789.eE+-\\untrfalse \u{E9}".utf8)
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<30, using: &random)
            let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            _ = JSONValue(bytes)
        }
    }
}

@Suite struct ActorDocumentTests {
    private func document(_ text: String) throws -> ActorDocument {
        try ActorDocument(Array(text.utf8), askedFor: FetchURL("https://a.example/users/x"))
    }

    @Test(
        "the pictures are found in every form",
        arguments: [
            (#"{"type":"Image","url":"https://m/1.png"}"#, "https://m/1.png"),
            (#"[{"type":"Image","url":"https://m/1.png"},{"url":"https://m/2.png"}]"#, "https://m/1.png"),
            (#""https://m/1.png""#, "https://m/1.png"), (#"{"url":["https://m/1.png"]}"#, "https://m/1.png"),
            (#"{"url":[{"type":"Link","href":"https://m/1.png"}]}"#, "https://m/1.png"),
            (#"{"url":{"href":"https://m/1.png"}}"#, "https://m/1.png"), ("null", nil), ("[]", nil), ("{}", nil),
            ("5", nil),
            (#""""#, nil), (#"{"url":null}"#, nil), (#"[null]"#, nil),
        ] as [(String, String?)]
    )
    func pictures(value: String, expected: String?) throws {
        let text = #"{"id":"https://a.example/users/x","type":"Person","icon":\#(value),"image":\#(value)}"#
        let found = try document(text)
        #expect(found.icon == expected)
        #expect(found.image == expected)
    }

    @Test(
        "who is allowed to speak for an actor",
        arguments: [
            (#"{"id":"https://a.example/users/x","type":"Service"}"#, true),
            (#"{"id":"https://A.example/other","type":["Foo","Group"]}"#, true),
            (#"{"id":"https://b.example/users/x","type":"Person"}"#, false),
            (#"{"id":"https://a.example:444/users/x","type":"Person"}"#, false),
            (#"{"id":"https://a.example.evil/users/x","type":"Person"}"#, false),
            (#"{"type":"Person"}"#, false), (#"{"id":5,"type":"Person"}"#, false),
            (#"{"id":"https://a.example/users/x","type":"Note"}"#, false),
            (#"{"id":"https://a.example/users/x"}"#, false),
            (#"["https://a.example/users/x"]"#, false), ("<html>", false),
        ]
    )
    func owners(text: String, accepted: Bool) {
        #expect(((try? document(text)) != nil) == accepted)
    }

    @Test(
        "only documents of ActivityPub's type are read",
        arguments: [
            ("application/activity+json", true), ("application/activity+json; charset=utf-8", true),
            ("application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"", true),
            ("application/ld+json", false),
            ("application/json", false), ("text/html", false), ("", false),
            ("image/png; application/activity+json", false),
        ]
    )
    func types(type: String, accepted: Bool) {
        #expect(ActorLookup.isActivity(type) == accepted)
    }
}

@Suite(.enabled(if: Requirement.hasOpenSSL, "needs openssl"))
struct ActorLookupTests {
    /// A key made by openssl, and the means to check what it signed.
    private struct Keys {
        let directory: TemporaryDirectory
        let pem: String

        init() throws {
            directory = try TemporaryDirectory()
            var openssl = Program("openssl")
            openssl.directory = directory.path
            try openssl.check(["genrsa", "-traditional", "-out", "private.pem", "2048"])
            try openssl.check(["rsa", "-in", "private.pem", "-pubout", "-out", "public.pem"])
            pem = try Disk.text(directory.path / "private.pem")
        }

        func verifies(_ text: String, signature: String) throws -> Bool {
            try Disk.write(directory.path / "text", text)
            try Disk.write(directory.path / "base64", signature)
            var openssl = Program("openssl")
            openssl.directory = directory.path
            try openssl.check(["base64", "-d", "-A", "-in", "base64", "-out", "signature"])
            return try openssl.run(["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text"])
                .exitCode == 0
        }
    }

    private func engine(_ origin: OriginServer) throws -> FetchEngine {
        var options = FetchOptions(userAgent: "test")
        options.allowedPrivateAddresses = ["127.0.0.0/8"].compactMap { AddressRange($0) }
        options.connectTo = origin.place
        return try FetchEngine(options)
    }

    private static let type = "Content-Type: application/activity+json"
    private static let body = Array(
        #"{"id":"http://a.example/users/x","type":"Person","icon":{"url":"https://m/1.png"}}"#.utf8
    )

    @Test("the request is signed so that the server can check it, after a redirect as well")
    func signed() async throws {
        let keys = try Keys()
        let origin = try OriginServer { request in
            request.path == "/users/x"
                ? .status(302, headers: ["Location: /moved?a=b"]) : .status(200, headers: [Self.type], body: Self.body)
        }
        let key = try InstanceKey(pem: keys.pem, keyID: "https://us.example/actor#main-key")
        let lookup = ActorLookup(engine: try engine(origin), key: key)
        let document = try await lookup.document(of: "http://a.example/users/x")
        #expect(document.icon == "https://m/1.png")
        #expect(document.image == nil)
        let requests = origin.log.map(\.request)
        #expect(requests.map(\.target) == ["/users/x", "/moved?a=b"])
        for request in requests {
            let header = try #require(request.headers["signature"])
            #expect(header.contains(#"keyId="https://us.example/actor#main-key",algorithm="rsa-sha256""#))
            #expect(header.contains(#"headers="(request-target) host date""#))
            #expect(request.headers["accept"]?.contains("application/activity+json") == true)
            let signature = try #require(header.firstRange(of: "signature=\"")).upperBound
            let base64 = String(header[signature...].dropLast())
            let date = try #require(request.headers["date"])
            let host = try #require(request.headers["host"])
            let text = "(request-target): get \(request.target)\nhost: \(host)\ndate: \(date)"
            #expect(try keys.verifies(text, signature: base64))
            #expect(try !keys.verifies(text + "x", signature: base64))
        }
    }

    @Test("an actor that is gone is gone; one elsewhere, of another type, or too large is refused")
    func refused() async throws {
        let origin = try OriginServer { request in
            switch request.path {
            case "/gone": .status(410)
            case "/elsewhere": .status(302, headers: ["Location: http://b.example/users/x"])
            case "/html": .body(Self.body, type: "text/html")
            case "/large":
                .status(200, headers: [Self.type], body: [UInt8](repeating: 0x20, count: 2 << 20) + Self.body)
            default: .status(200, headers: [Self.type], body: Self.body)
            }
        }
        let lookup = ActorLookup(engine: try engine(origin), key: nil)
        let expected: [(String, FetchFault.Kind)] = [
            ("gone", .status(410)), ("elsewhere", .badRedirect), ("html", .protocolError), ("large", .tooLarge),
        ]
        for (path, kind) in expected {
            let fault = await #expect(throws: FetchFault.self) {
                _ = try await lookup.document(of: "http://a.example/\(path)")
            }
            #expect(fault?.kind == kind)
        }
        #expect(origin.log.allSatisfy { $0.request.headers["signature"] == nil })
    }

    @Test("a key that is none is refused without a word of it, and no password is asked for")
    func badKeys() throws {
        let keys = try Keys()
        var openssl = Program("openssl")
        openssl.directory = keys.directory.path
        try openssl.check(["rsa", "-aes128", "-passout", "pass:abc", "-in", "private.pem", "-out", "locked.pem"])
        try openssl.check(["genpkey", "-algorithm", "ed25519", "-out", "other.pem"])
        let texts =
            ["", "hunter2"] + (try ["locked.pem", "other.pem"].map { try Disk.text(keys.directory.path / $0) })
        for text in texts {
            let error = #expect(throws: SyncError.self) {
                _ = try InstanceKey(pem: text, keyID: "https://a/actor#main-key")
            }
            #expect(error.map { "\($0)" }?.contains("hunter2") == false)
        }
        #expect(throws: SyncError.self) { _ = try InstanceKey(pem: keys.pem, keyID: "a\"b") }
    }
}
