import Copying
import MediaModel
import MediasyncTesting
import Running
import Storage
import Synchronization
import Testing
import Wire

/// What a far end says by a further connection.
extension HostileAgentTests {
    /// Pulls by two connections: the first one's far end greets and then waits, the other's says something else.
    private func pull(byCarrier sayings: [Message], within seconds: Int = 5) async throws -> (RunResult, [Notice]) {
        var welcome = Welcome(source: SourceFacts(isEmpty: false, looksLikeRoot: false))
        welcome.takesCarriers = true
        let first = [.welcome(welcome)] + Self.greeting.dropFirst()
        try Disk.write(place.path / "first", WireLimit.magic + first.flatMap { $0.encoded() })
        try Disk.write(place.path / "carrier", WireLimit.magic + sayings.flatMap { $0.encoded() })
        let way = FarEnd.Way(
            shell: [
                "/bin/sh", "-c",
                """
                if mkdir \(place.path)/lock 2>/dev/null; then cat \(place.path)/first; timeout \(seconds) cat >&2; exit 0; fi
                cat \(place.path)/carrier; exec cat >&2
                """,
            ].map { BytePath($0) },
            program: "mediasync",
            environment: ["PATH": "/usr/bin:/bin"]
        )
        let notices = Notices()
        let run = RunID(secondsSince1970: 0, random: 1)
        let remote = try #require(try RemotePlace(BytePath("host:/tree")))
        let engine = CopyEngine(
            source: BytePath("host:/tree"),
            target: target,
            options: CopyOptions(),
            run: run,
            host: .current(),
            control: RunControl(),
            sink: { _ in },
            origin: FarEnd(
                remote,
                way,
                try Hello(.send, remote, CopyOptions(), run: run),
                fileList: nil,
                connections: FarConnections(.exactly(2), sink: notices.take)
            )
        )
        return (await engine.run(), notices.all)
    }

    @Test(
        "that says by a further connection what belongs to the first is not heard any further",
        arguments: [
            .treeEnd, .joined, .bye, .directoryEnd(id: 0, bundles: 0, .listed), .stage("x"), .total(5),
            .roundTrip(microseconds: 90_000), .greeted,
            .piece(transfer: 1, [1]), .fileFailed(WireReference(batch: 0, index: 0), SyncError(.item, "x")),
        ] as [Message]
    )
    func carrier(message: Message) async throws {
        let (result, _) = try await pull(byCarrier: [.joined, message])
        #expect(
            result.error?.what.contains("does not keep to the protocol") == true,
            "\(String(describing: result.error))"
        )
        try expectUntouched()
    }

    @Test("that does not answer a join as one is left with one connection, and a person is told")
    func refusing() async throws {
        for saying in [[.welcome(Welcome())], [.failure(SyncError(.refused, "no"))], [.treeEnd]] as [[Message]] {
            let (result, notices) = try await pull(byCarrier: saying)
            // It goes on until the first connection ends, long after the further one was answered.
            #expect(result.error?.what.contains("closed the connection") == true, "\(String(describing: result.error))")
            #expect(notices.count == 1 && notices[0].message.contains("only 1 of 2 connections"), "\(notices)")
            try Program("rmdir").check([], place.path / "lock")
        }
    }
}

/// Notices as they come.
private final class Notices: Sendable {
    private let state = Mutex<[Notice]>([])

    var all: [Notice] { state.withLock { $0 } }

    func take(_ event: Event) {
        if case .notice(let notice) = event { state.withLock { $0.append(notice) } }
    }
}
