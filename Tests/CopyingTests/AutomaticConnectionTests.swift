import MediaModel
import MediasyncTesting
import Running
import Storage
import Testing
import Wire

@testable import Copying

/// Whether a pull makes further connections, by what its far end says of the line. The far end is a file that is read out.
@Suite("Further connections, where nobody has said how many") struct AutomaticConnectionTests {
    let place: TemporaryDirectory
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        target = place.path / "target"
        try Disk.makeDirectory(target)
    }

    /// The names of files, so many bytes of them.
    private static func names(bytes: Int) -> [Message] {
        let ending = String(repeating: "x", count: 240)
        var batches: [Message] = []
        var count = 0
        while count < bytes {
            let number = batches.count
            let entries = (0..<500).map { HostileAgentTests.file("\(number)-\($0)-\(ending)") }
            let batch = Message.batch(WireBatch(id: UInt32(number), directory: 0, entries: entries))
            count += batch.encoded().count
            batches.append(batch)
        }
        return batches
    }

    @Test(
        "are made where the line is long and much comes by it",
        arguments: [(90_000, 3, true), (20_000, 3, true), (19_999, 3, false), (90_000, 1, false), (nil, 3, false)]
            as [(UInt32?, Int, Bool)]
    )
    func made(microseconds: UInt32?, mebibytes: Int, isMade: Bool) async throws {
        var welcome = Welcome(source: SourceFacts(isEmpty: false, looksLikeRoot: false))
        welcome.takesCarriers = true
        let told = microseconds.map { [Message.roundTrip(microseconds: $0)] } ?? []
        let all =
            [.welcome(welcome)] + told + HostileAgentTests.greeting.dropFirst() + Self.names(bytes: mebibytes << 20)
        try Disk.write(place.path / "first", WireLimit.magic + all.flatMap { $0.encoded() })
        let way = FarEnd.Way(
            shell: [
                "/bin/sh", "-c",
                """
                if mkdir \(place.path)/lock 2>/dev/null; then cat \(place.path)/first; timeout 3 cat >&2; exit 0; fi
                echo 1 >> \(place.path)/further; exit 1
                """,
            ].map { BytePath($0) },
            program: "mediasync",
            environment: ["PATH": "/usr/bin:/bin"]
        )
        let remote = try #require(try RemotePlace(BytePath("host:/tree")))
        let run = RunID(secondsSince1970: 0, random: 1)
        let options = CopyOptions()
        let engine = CopyEngine(
            source: BytePath("host:/tree"),
            target: target,
            options: options,
            run: run,
            host: .current(),
            control: RunControl(),
            sink: { _ in },
            origin: FarEnd(
                remote,
                way,
                try Hello(.send, remote, options, run: run),
                fileList: nil,
                connections: FarConnections(.automatic, sink: { _ in })
            )
        )
        // It ends when the far end does, in the middle of the tree.
        #expect(await engine.run().error != nil)
        let further = place.path / "further"
        #expect(Disk.exists(further) == isMade)
        if isMade { #expect(try Disk.text(further).split(separator: "\n").count == 3) }
    }
}
