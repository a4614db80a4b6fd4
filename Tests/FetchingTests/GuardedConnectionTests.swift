import Fetching
import MediasyncTesting
import Testing

/// No connection but to the public Internet, however the address is written.
@Suite struct GuardedConnectionTests {
    @Test(
        "a private address in any notation is refused, and nothing is connected",
        arguments: [
            "127.0.0.1", "127.1", "0x7f000001", "0177.0.0.1", "2130706433", "0x7f.1", "localhost", "LOCALHOST.",
            "[::1]",
            "[::ffff:127.0.0.1]", "[::127.0.0.1]", "0", "0.0.0.0", "127.0.0.1.", "[0:0:0:0:0:ffff:7f00:1]",
            "%31%32%37.0.0.1",
            "\u{FF11}27.0.0.1", "127\u{3002}0\u{3002}0\u{3002}1",
        ]
    )
    func refused(host: String) async throws {
        let lab = try Lab { $0.allowedPrivateAddresses = [] }
        let result = await lab.fetch(url: "http://\(host):\(lab.origin.port)/")
        let kinds: [FetchFault.Kind] = [.refusedAddress, .badURL, .resolve]
        #expect(result.fault.map { kinds.contains($0.kind) } == true, "\(result)")
        #expect(lab.origin.connections == 0)
    }

    @Test(
        "addresses that no route leads to are refused before they are tried",
        arguments: [
            "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ]
    )
    func unroutable(host: String) async throws {
        let lab = try Lab { $0.allowedPrivateAddresses = [] }
        #expect(await lab.fetch(url: "http://\(host)/").fault?.kind == .refusedAddress)
    }

    @Test("a name that leads to an allowed address is fetched from")
    func allowed() async throws {
        let lab = try Lab { $0.allowedPrivateAddresses = ["127.0.0.1"].compactMap { AddressRange($0) } }
        #expect(await lab.fetch(url: "http://localhost:\(lab.origin.port)/").answer != nil)
        #expect(await lab.fetch(url: "http://127.0.0.2:\(lab.origin.port)/").fault?.kind == .refusedAddress)
    }

    @Test("hidden services are refused unless they are allowed, and go through their own proxy")
    func hidden() async throws {
        let lab = try Lab()
        for name in ["abc.onion", "ABC.Onion", "abc.i2p"] {
            #expect(await lab.fetch(url: "http://\(name)/").fault?.kind == .hiddenService)
        }
        // The origin stands in for a proxy: it is asked for whole addresses.
        let engine = try FetchEngine(
            Lab.options {
                $0.allowsHiddenServices = true
                $0.hiddenProxy = "http://\(lab.origin.place)"
            }
        )
        let answer = try await engine.fetch(FetchRequest(url: "http://abc.onion/x", byteLimit: 100, body: .memory))
        #expect(answer.body == Lab.png)
        #expect(lab.origin.log.last?.request.target == "http://abc.onion/x")
        #expect(lab.origin.log.count == 1)
    }

    @Test("through a proxy a private address in the URL is refused all the same")
    func proxied() async throws {
        let lab = try Lab()
        let engine = try FetchEngine(
            Lab.options {
                $0.allowedPrivateAddresses = []
                $0.proxy = "http://\(lab.origin.place)"
            }
        )
        let good = try await engine.fetch(FetchRequest(url: "http://files.example/x", byteLimit: 100, body: .memory))
        #expect(good.body == Lab.png)
        await #expect(throws: FetchFault.self) {
            _ = try await engine.fetch(FetchRequest(url: "http://10.0.0.1/x", byteLimit: 100, body: .memory))
        }
        #expect(lab.origin.log.count == 1)
    }
}
