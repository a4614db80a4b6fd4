internal import Foundation
internal import GRDB
internal import Glibc
internal import MediaModel
internal import MediasyncTesting
internal import Pipeline
internal import Testing

@Suite struct RunStoreTests {
    private let tree: TemporaryTree
    private let directory: String

    init() throws {
        tree = try TemporaryTree()
        directory = tree.url.path + "/state/mediasync"
    }

    private func id(_ number: UInt32) -> RunID { RunID(secondsSince1970: 1_795_400_000, random: number) }

    private func record(_ number: UInt32, startedAt: Int64 = 1_795_400_000) -> RunRecord {
        RunRecord(
            id: id(number),
            command: "copy",
            arguments: ["copy", "/a \"b\"", "/c\n"],
            source: "/a",
            target: "/c",
            pid: ProcessIdentity.current.pid,
            startedAt: startedAt
        )
    }

    private var counts: Counts {
        var counts = Counts()
        counts.seen = 12
        counts.copied = 7
        counts.failed = 3
        counts.skipped = [.excluded: 2]
        counts.bytesWritten = 1 << 40
        return counts
    }

    private func failure(_ number: Int) -> FailureRecord {
        FailureRecord(
            path: BytePath(bytes: [0xff, 0x2f, UInt8(number % 200 + 1)]),
            kind: .symlink,
            error: SyncError(.item, "could not read \(number)", why: "EACCES", hint: "look"),
            at: 5
        )
    }

    @Test("a run is remembered with its stages, numbers and failures")
    func roundTrip() throws {
        let store = try RunStore(directory: directory)
        try store.begin(record(1))
        try store.beginStage("copy", of: id(1), at: 10)
        try store.record([failure(0)], dropped: 0, counts: nil, of: id(1), at: 25)
        try store.beginStage("delete", of: id(1), at: 20)
        #expect(try store.run(id(1))?.state == .running)
        try store.finish(id(1), status: .itemsFailed, counts: counts, at: 30)

        let run = try #require(try RunStore.openExisting(directory: directory)?.run(id(1)))
        #expect(run.command == "copy" && run.arguments == ["copy", "/a \"b\"", "/c\n"])
        #expect(run.state == .finished && run.exitStatus == 3 && run.endedAt == 30)
        #expect(run.counts == counts)
        #expect(
            run.stages == [
                RunRecord.Stage(name: "copy", startedAt: 10, endedAt: 20),
                RunRecord.Stage(name: "delete", startedAt: 20, endedAt: 30),
            ]
        )
        #expect(run.failuresKept == 1)
        #expect(try store.failures(of: id(1)).failures == [failure(0)])
        #expect(try store.run(id(2)) == nil)
    }

    @Test("failures are read page by page")
    func pages() throws {
        let store = try RunStore(directory: directory)
        try store.begin(record(1))
        try store.begin(record(2))
        try store.record((0..<25).map(failure), dropped: 4, counts: nil, of: id(1), at: 25)
        try store.record((0..<3).map(failure), dropped: 0, counts: nil, of: id(2), at: 25)
        var read: [FailureRecord] = []
        var after: Int64? = 0
        while let place = after {
            let page = try store.failures(of: id(1), after: place, limit: 10)
            read += page.failures
            after = page.next
        }
        #expect(read == (0..<25).map(failure))
        #expect(try store.run(id(1))?.failuresDropped == 4)
    }

    @Test("files and directories are for their owner only")
    func modes() throws {
        let store = try RunStore(directory: directory)
        try store.begin(record(1))
        #expect(tree.mode(Array("state/mediasync".utf8)) == 0o700)
        #expect(tree.mode(Array("state/mediasync/runs.sqlite".utf8)) == 0o600)
        #expect(tree.mode(Array("state/mediasync/runs.sqlite-wal".utf8)) == 0o600)
    }

    @Test("a run whose process is gone is shown as died; a live one as running")
    func died() throws {
        let store = try RunStore(directory: directory)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["1000"]
        try process.run()
        try store.begin(record(1), process: ProcessIdentity(pid: process.processIdentifier))
        #expect(try store.runningRuns().map(\.id) == [id(1)])
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(try store.run(id(1))?.state == .died)
        #expect(try store.runningRuns().isEmpty)
    }

    @Test("a reused process number and another boot do not keep a run alive")
    func reusedProcessNumber() {
        var identity = ProcessIdentity.current
        #expect(identity.isAlive)
        identity.startTicks? -= 1
        #expect(!identity.isAlive)
        identity = .current
        identity.bootID = "00000000-0000-0000-0000-000000000000"
        #expect(!identity.isAlive)
    }

    @Test("the newest runs are kept, with a live one that is older")
    func prune() throws {
        let store = try RunStore(directory: directory)
        for number in 0..<60 {
            try store.begin(record(UInt32(number), startedAt: Int64(number)))
            try store.record([failure(number)], dropped: 0, counts: nil, of: id(UInt32(number)), at: 25)
            if number != 3 { try store.finish(id(UInt32(number)), status: .done, counts: counts, at: 100) }
        }
        try store.prune()
        let runs = try store.recentRuns(limit: 100)
        #expect(runs.count == 51)
        #expect(runs.first?.id == id(59))
        #expect(runs.last?.id == id(3))
        #expect(try store.failures(of: id(0)).failures.isEmpty)
        #expect(try store.lastSuccess(of: "copy") == 100)
        #expect(try store.lastSuccess(of: "verify") == nil)
    }

    @Test("two writers wait for each other and lose nothing")
    func twoWriters() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<2 {
                group.addTask { [directory] in
                    // Opening at the same time is part of the test.
                    let store = try RunStore(directory: directory)
                    for number in 0..<50 {
                        let run = UInt32(writer * 1_000 + number)
                        try store.begin(record(run))
                        try store.record((0..<20).map(failure), dropped: 0, counts: nil, of: id(run), at: 25)
                        if number.isMultiple(of: 10) { try store.prune(keeping: 200) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let runs = try RunStore(directory: directory).recentRuns(limit: 1_000)
        #expect(runs.count == 100)
        #expect(runs.allSatisfy { $0.failuresKept == 20 })
    }

    @Test("a damaged file is refused with a hint and stays as it was")
    func damaged() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = URL(fileURLWithPath: directory + "/runs.sqlite")
        let bytes = Data(repeating: 0x58, count: 8_192)
        try bytes.write(to: file)
        expectConfiguration("damaged")
        #expect(try Data(contentsOf: file) == bytes)
    }

    @Test("a file that was damaged in its middle is an error, not a crash")
    func damagedInside() throws {
        do {
            let store = try RunStore(directory: directory)
            try store.begin(record(1))
            try store.record((0..<2_000).map(failure), dropped: 0, counts: nil, of: id(1), at: 25)
            try DatabaseQueue(path: directory + "/runs.sqlite").writeWithoutTransaction { db in
                _ = try db.checkpoint(.truncate)
            }
        }
        let file = URL(fileURLWithPath: directory + "/runs.sqlite")
        var bytes = try Data(contentsOf: file)
        for index in 4_096..<bytes.count { bytes[index] = 0xa5 }
        try bytes.write(to: file)
        #expect {
            _ = try RunStore(directory: directory).failures(of: id(1))
        } throws: { error in
            (error as? SyncError)?.code == .configuration
        }
    }

    @Test("a newer program's file is refused and stays as it was")
    func newer() throws {
        _ = try RunStore(directory: directory)
        let file = directory + "/runs.sqlite"
        try DatabaseQueue(path: file).write { try $0.execute(sql: "PRAGMA user_version = 99") }
        expectConfiguration("newer mediasync")
        #expect(try DatabaseQueue(path: file).read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 99)
    }

    @Test("another program's database is refused and stays as it was")
    func foreign() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = directory + "/runs.sqlite"
        try DatabaseQueue(path: file).write { try $0.execute(sql: "CREATE TABLE runs (a)") }
        expectConfiguration("another program")
        let tables = try DatabaseQueue(path: file).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master")
        }
        #expect(tables == ["runs"])
    }

    @Test("a place that cannot be a directory is refused with a hint")
    func unusable() throws {
        tree.makeFile(Array("file".utf8))
        #expect {
            _ = try RunStore(directory: tree.url.path + "/file/state")
        } throws: { error in
            (error as? SyncError)?.code == .configuration && (error as? SyncError)?.hint?.contains("--state") == true
        }
        #expect(try RunStore.openExisting(directory: tree.url.path + "/file/state") == nil)
        #expect(try RunStore.openExisting(directory: tree.url.path + "/nothing") == nil)
    }

    @Test("a link in place of the file is not followed")
    func link() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/runs.sqlite",
            withDestinationPath: tree.url.path + "/elsewhere"
        )
        expectConfiguration("cannot be opened")
        #expect(tree.mode(Array("elsewhere".utf8)) == nil)
    }

    @Test("opening is quick")
    func quick() throws {
        _ = try RunStore(directory: directory)
        let clock = ContinuousClock()
        let best = try (0..<10).map { _ in try clock.measure { _ = try RunStore(directory: directory) } }.min()
        // A debug build on a busy machine; the release build takes about a millisecond.
        #expect(try #require(best) < .milliseconds(100))
    }

    private func expectConfiguration(_ words: String) {
        #expect {
            _ = try RunStore(directory: directory)
        } throws: { error in
            guard let error = error as? SyncError else { return false }
            return error.code == .configuration && error.what.contains(words) && error.hint != nil
                || error.code == .configuration && error.what.contains(words) && error.why != nil
        }
    }
}
