import Checksums
import MediaModel
import MediasyncTesting
import Pacing
import Running
import Storage
import Testing

@testable import Copying

/// Large files: who moves them, and that several threads move the same bytes as one.
@Suite struct LargeTransferTests {
    private func clocks(_ wall: Int64, _ thread: Int64, _ process: Int64) -> SharingTrial.Clocks {
        SharingTrial.Clocks(wall: wall, thread: thread, process: process)
    }

    @Test(
        "help is wanted by a thread that waits while processors idle",
        arguments: [
            // One thread at work in memory: it waits for nothing.
            (100, 100, 100, 2, false),
            // A network: nobody computes.
            (100, 10, 10, 2, true),
            (100, 49, 60, 2, true), (100, 50, 60, 2, false),
            // Eight threads on two processors: each waits for a processor.
            (100, 25, 200, 2, false),
            // Other files keep one of eight processors busy.
            (100, 10, 100, 8, true),
        ] as [(Int64, Int64, Int64, Int, Bool)]
    )
    func trial(wall: Int64, thread: Int64, process: Int64, processors: Int, expected: Bool) {
        let waits = SharingTrial.waits(
            from: clocks(7, 8, 9),
            to: clocks(7 + wall, 8 + thread, 9 + process),
            processors: processors
        )
        #expect(waits == expected)
    }

    @Test("a file too small, too near its end or without idle workers is not shared, and it is asked once")
    func unshared() {
        let size = 4 * SharingTrial.bytes
        var small = SharingTrial(size: SharingTrial.bytes, processors: 2)
        let tooSmall = small.wantsHelp(at: 1, idleWorkers: 9)
        var alone = SharingTrial(size: size, processors: 1 << 40)
        let first = alone.wantsHelp(at: 0, idleWorkers: 9)
        // Whatever the clocks say: nobody could help, and it is not asked again.
        let nobody = alone.wantsHelp(at: SharingTrial.bytes, idleWorkers: 0)
        let again = alone.wantsHelp(at: SharingTrial.bytes + 1, idleWorkers: 9)
        #expect([tooSmall, first, nobody, again] == [false, false, false, false])
    }

    /// A digest that a closure can hold.
    private final class Box {
        let streaming = StreamingDigest(.xxh3)
    }

    @Test(
        "several threads move what is left of a file; bytes and digest are those of the whole",
        arguments: [(0, 3 << 20), (1 << 20, 5_000_001), (524_288, 524_289)] as [(Int64, Int64)]
    )
    func complete(from: Int64, size: Int64) async throws {
        let place = try TemporaryDirectory()
        let bytes = SeededGenerator.bytes(Int(size), seed: 5)
        try Disk.write(place.path / "source", bytes)
        try Disk.write(place.path / "target", Array(bytes.prefix(Int(from))))
        let directory = try HeldDirectory.openRoot(place.path)
        defer { directory.close() }
        let source = try BytePath("source").withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
        let target = try BytePath("target").withEntryName { (name) throws(FileFault) in
            try directory.openOrCreateFile(name, mode: 0o600)
        }
        let digest = Box()
        digest.streaming.reset()
        bytes.prefix(Int(from)).withUnsafeBytes { digest.streaming.update($0) }
        let transfer = LargeTransfer(
            source: source.raw,
            target: target.raw,
            from: from,
            size: size,
            digest: { digest.streaming.update($0) },
            control: RunControl()
        )
        let pool = WorkerPool(threads: 4)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask(executorPreference: pool) { transfer.assist() } }
        }
        pool.shutDown()
        try transfer.complete()
        #expect(try Disk.read(place.path / "target") == bytes)
        #expect(digest.streaming.finish() == bytes.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) })
    }

    @Test("a source that ends early is a change, told by whoever waits for the file")
    func tooShort() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "source", [UInt8](repeating: 1, count: 1000))
        let directory = try HeldDirectory.openRoot(place.path)
        defer { directory.close() }
        let source = try BytePath("source").withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
        let target = try BytePath("target").withEntryName { (name) throws(FileFault) in
            try directory.createFile(name, mode: 0o600)
        }
        let transfer = LargeTransfer(
            source: source.raw,
            target: target.raw,
            from: 0,
            size: 2000,
            digest: nil,
            control: RunControl()
        )
        #expect {
            try transfer.complete()
        } throws: { error in
            guard case .some(.changed) = error as? ContentFault else { return false }
            return true
        }
    }
}
