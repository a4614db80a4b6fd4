import MediaModel
import Programs
import Testing

@testable import Copying

@Suite struct FarEndWayTests {
    private static func environment(_ given: [String: String]) throws -> [String: String] {
        let way = FarEnd.Way(shell: [BytePath("/usr/bin/ssh")], program: "mediasync", environment: given)
        return way.call(to: try #require(try RemotePlace(BytePath("far.example:/srv")))).environment
    }

    @Test func sshKeepsItsMemoryUnlessTheUserHasSaidWhatItDoes() throws {
        let usual = try Self.environment(["PATH": "/bin"])
        #expect(usual["PATH"] == "/bin")
        #expect(usual["MALLOC_TRIM_THRESHOLD_"] == "16777216")
        #expect(usual["MALLOC_MMAP_THRESHOLD_"] == "16777216")

        let asked = try Self.environment(["MALLOC_TRIM_THRESHOLD_": "4096"])
        #expect(asked["MALLOC_TRIM_THRESHOLD_"] == "4096")
        #expect(asked["MALLOC_MMAP_THRESHOLD_"] == "16777216")
    }
}
