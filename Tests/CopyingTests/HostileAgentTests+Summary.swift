import Copying
import MediaModel
import MediasyncTesting
import Running
import Testing
import Wire

extension HostileAgentTests {
    private static func summary(_ name: String, parent: UInt32 = 0, names: [UInt8] = []) -> Message {
        .summary(
            WireSummary(
                id: 9,
                parent: parent,
                name: BytePath(name),
                entries: 2,
                names: names,
                digest: Digest(algorithm: .sha256, bytes: Array(repeating: 1, count: 32))
            )
        )
    }

    @Test("that sums up what is in no directory is not heard any further")
    func summaryOfNothing() async throws {
        for turn in [
            Self.greeting + [Self.summary("a", parent: 5)] + Self.end,
            Self.greeting + Self.end.dropLast() + [Self.summary("a")],
            [Self.greeting[0], Self.summary("a")],
        ] {
            let result = try await converse([(after: 0, say: turn)])
            #expect(
                result.error?.why?.contains("a summary has no directory") == true,
                "\(String(describing: result.error))"
            )
            try expectUntouched()
        }
    }

    @Test("that sums up what was not asked for, or what leads elsewhere, changes nothing and counts nothing")
    func summaryOfLinks() async throws {
        try Disk.makeDirectory(outside / "secret")
        try Disk.makeDirectory(target / "d")
        try Disk.makeLink(target / "d" / "link", to: outside)
        let names: [UInt8] = [1, 4] + Array("link".utf8) + [255, 255]
        let summaries = [Self.summary("d", names: names), Self.summary("missing"), Self.summary("d")]
        let result = try await converse([(after: 0, say: Self.greeting + summaries + Self.end)])
        // It never hears that all is there, so it ends as any connection that is cut.
        #expect(result.counts.unchanged <= 1 && result.counts.copied == 0, "\(result.counts)")
        #expect(try Disk.names(in: outside) == [BytePath("secret")])
        #expect(try Disk.names(in: target) == [BytePath("d")])
    }
}
