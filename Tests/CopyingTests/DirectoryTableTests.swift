import Glibc
import MediaModel
import Pacing
import Testing
import Wire

@testable import Copying

/// Directories whose bundles come by several connections.
@Suite("A table of directories") struct DirectoryTableTests {
    let table = DirectoryTable(notesNames: false)
    let root = DirectoryNode(root: DescriptorBudget(maximum: 100))

    private func directory() -> ReceivedDirectory {
        ReceivedDirectory(root, .open(HostileAgentTests.folder, []))
    }

    @Test("ends a directory with its last bundle, whichever comes last")
    func lastBundle() throws {
        try table.add(directory(), 7)
        #expect(try table.count(bundleIn: 7) == nil)
        #expect(try table.end(7, .listed, bundles: 3) == nil)
        #expect(try table.count(bundleIn: 7) == nil)
        #expect(try table.count(bundleIn: 7) != nil)
        #expect(table.find(7) == nil)

        try table.add(directory(), 7)
        #expect(try table.count(bundleIn: 7) == nil)
        #expect(try table.end(7, .listed, bundles: 1) != nil)
        #expect(throws: WireFault.self) { try table.count(bundleIn: 7) }
    }

    @Test("is whole when all bundles are with a queue, and not before")
    func whole() throws {
        try table.add(directory(), 0)
        #expect(throws: WireFault.self) { try table.endTree() }
        #expect(try table.end(0, .listed, bundles: 2) == nil)
        try table.endTree()
        #expect(throws: WireFault.self) { try table.endTree() }
        #expect(!table.isWhole)
        #expect(try table.count(bundleIn: 0) == nil)
        #expect(try table.count(bundleIn: 0) != nil)
        #expect(!table.isWhole)
        table.settle(1)
        #expect(!table.isWhole)
        table.settle(2)
        #expect(table.isWhole)
    }

    @Test("lets a bundle wait until its directory is open")
    func waiting() async throws {
        let directory = directory()
        let pool = WorkerPool(threads: 2)
        let found = await withTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: pool) { [table] in
                (try? table.wait(for: 4) { true }) === directory
            }
            group.addTask(executorPreference: pool) { [table] in
                usleep(20_000)
                try? table.add(directory, 4)
                usleep(20_000)
                _ = directory.becomeReady(isOpen: true)
                table.becameReady(directory)
                return true
            }
            return await group.reduce(true) { $0 && $1 }
        }
        pool.shutDown()
        #expect(found)
    }

    @Test("lets nobody wait for what is not going to come", arguments: [true, false])
    func noWaiting(isClosed: Bool) async throws {
        let pool = WorkerPool(threads: 1)
        try table.add(directory(), 0)
        _ = try table.end(0, .listed, bundles: 0)
        let isRight = await withTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: pool) { [table] in
                do { return try table.wait(for: 4) { true } == nil && isClosed } catch { return !isClosed }
            }
            usleep(10_000)
            if isClosed { table.close() } else { try? table.endTree() }
            return await group.reduce(true) { $0 && $1 }
        }
        pool.shutDown()
        #expect(isRight)
        #expect(try table.wait(for: 4) { false } == nil)
    }
}
