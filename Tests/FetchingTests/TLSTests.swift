import Fetching
import MediaModel
import MediasyncTesting
import Testing

@Suite(.enabled(if: Requirement.hasOpenSSL, "needs openssl"))
struct TLSTests {
    private static let answers = [
        "good": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        "down":
            "HTTP/1.1 302 Found\r\nLocation: http://files.example/good\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "cut": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nok",
    ]

    private func fetch(
        _ path: String,
        flaw: TestAuthority.Flaw = .none,
        host: String = "files.example",
        trusts: Bool = true,
        _ change: (inout FetchOptions) -> Void = { _ in }
    ) async throws -> Result<FetchAnswer, FetchFault> {
        let authority = try TestAuthority()
        let origin = try TLSOrigin(authority, host: "files.example", flaw: flaw, answers: Self.answers)
        let lab = try Lab { options in
            if trusts { options.certificateFile = authority.certificate.description }
            options.connectTo = origin.place
            options.deadlines.firstByte = .seconds(5)
            options.deadlines.total = .seconds(5)
            change(&options)
        }
        let result = await lab.fetch(url: "https://\(host)/\(path)")
        withExtendedLifetime(origin) {}
        return result
    }

    @Test("a server with a trusted certificate is fetched from")
    func good() async throws {
        let result = try await fetch("good")
        #expect(result.answer?.body == Array("ok".utf8), "\(result)")
        #expect(result.answer?.finalURL == "https://files.example/good")
    }

    @Test("an expired or self-signed certificate is refused", arguments: [TestAuthority.Flaw.expired, .selfSigned])
    func flawed(flaw: TestAuthority.Flaw) async throws {
        #expect(try await fetch("good", flaw: flaw).fault?.kind == .tls)
    }

    @Test("a certificate for another host is refused")
    func otherHost() async throws {
        #expect(try await fetch("good", host: "other.example").fault?.kind == .tls)
    }

    @Test("an authority that the system does not know is refused")
    func unknownAuthority() async throws {
        #expect(try await fetch("good", trusts: false).fault?.kind == .tls)
    }

    @Test("a redirect from https to http is refused")
    func downgrade() async throws {
        #expect(try await fetch("down").fault?.kind == .badRedirect)
        // Where it is allowed it is followed: to a server that wants TLS.
        let result = try await fetch("down") { $0.allowsDowngrade = true }
        #expect(result.fault.map { $0.kind != .badRedirect } == true, "\(result)")
    }

    @Test("a body that ends early is refused")
    func cut() async throws {
        #expect(try await fetch("cut").fault?.kind == .cutShort)
    }
}
