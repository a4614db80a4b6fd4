import Fetching
import Testing

@Suite struct AddressGuardTests {
    @Test(
        "what is not of the public Internet is refused, in whatever form",
        arguments: [
            // The edges of each special IPv4 network.
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
            "127.255.255.255", "169.254.0.0", "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.0",
            "192.0.0.255", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
            "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0", "255.255.255.255",
            // IPv4 within IPv6: mapped, compatible, translated, 6to4, Teredo.
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
            "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:0:808:808::1",
            // The rest of IPv6 that is no unicast of the public Internet.
            "::", "::1", "100::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "3fff::1",
            "3fff:fff::1",
            "2620:4f:8000::1", "4000::1", "5f00::1", "1fff:ffff::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1",
            "fec0::1", "ff02::1",
        ]
    )
    func refused(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!AddressGuard().permits(address))
    }

    @Test(
        "public addresses pass, also those next to special ones",
        arguments: [
            "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0",
            "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.112.255",
            "223.255.255.255", "::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2003::1",
            "2606:4700::1111", "2a00:1450::1", "3ffe:ffff::1", "3fff:1000::1",
        ]
    )
    func permitted(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard().permits(address))
    }

    @Test(
        "what the administrator allows passes, its neighbours do not",
        arguments: [
            (["10.1.0.0/16"], "10.1.255.255", true), (["10.1.0.0/16"], "10.2.0.0", false),
            (["10.1.0.0/16"], "::ffff:10.1.2.3", true), (["127.0.0.1"], "127.0.0.1", true),
            (["127.0.0.1"], "127.0.0.2", false), (["fd00::/8"], "fd12::1", true), (["fd00::/8"], "fc12::1", false),
            (["::1"], "::1", true), (["::1"], "127.0.0.1", false),
            (["192.168.0.0/31", "::1/128"], "192.168.0.1", true),
            (["fd00::1:0/112"], "fd00::1:ffff", true), (["fd00::1:0/112"], "fd00::2:0", false),
            (["0.0.0.0/0"], "10.0.0.1", true), (["0.0.0.0/0"], "::1", false),
        ]
    )
    func allowed(ranges: [String], text: String, passes: Bool) throws {
        let allowed = try ranges.map { try #require(AddressRange($0)) }
        let address = try #require(IPAddress(text))
        #expect(AddressGuard(allowing: allowed).permits(address) == passes)
    }

    @Test(
        "what is no network is none",
        arguments: [
            "", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0", "010.0.0.1", "::/129",
            "fd00::%lo/8",
            "localhost", "10.0.0.0/+8", " 10.0.0.1",
        ]
    )
    func noRange(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("every address of the ranges Mastodon refuses is refused, tried at random")
    func mastodonsList() throws {
        let list = [
            "0.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128",
            "64:ff9b::/96",
            "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16",
            "3fff::/20", "ff00::/8", "fc00::/7", "fe80::/10",
        ]
        let ranges = try list.map { try #require(AddressRange($0)) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let six = Bool.random(using: &random)
            let bytes = (0..<(six ? 16 : 4)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let address = try #require(IPAddress(bytes: bytes))
            if ranges.contains(where: { $0.contains(address) }) {
                #expect(!AddressGuard().permits(address), "\(address)")
            }
        }
    }
}
