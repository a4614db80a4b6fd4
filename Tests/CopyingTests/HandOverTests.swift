import Foundation
import MediaModel
import MediasyncTesting
import Running
import Storage
import Synchronization
import Testing

@testable import Copying

/// What a walk's threads keep back for a while goes before another thread can say what stands on it.
@Suite struct HandOverTests {
    private enum Event: Hashable {
        case open(BytePath)
        case end(BytePath)
    }

    /// Tells of directories as late as it may.
    private final class GatheringVisitor: TreeVisitor {
        final class Worker {
            var kept: [Event] = []
        }

        let told = Mutex<[Event]>([])

        func makeWorker(index: Int) -> Worker { Worker() }

        func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool {
            if node.parent != nil {
                guard let source = try? parent.source.openDirectory(node.name) else { return false }
                node.source = source
            }
            worker.kept.append(.open(node.path()))
            // Others get work while this one goes on.
            Host.sleep(nanoseconds: 20_000)
            return true
        }

        func finish(_ node: DirectoryNode, worker: Worker) {
            worker.kept.append(.end(node.path()))
            if node.depth > 0 { node.closeHandles() }
        }

        func handOver(worker: Worker) {
            told.withLock { $0 += worker.kept }
            worker.kept = []
        }

        func unreachable(_ node: DirectoryNode, fault: FileFault, worker: Worker) {}
        func prepare(_ node: DirectoryNode, worker: Worker) {}
        func note(_ entry: WalkEntry, of node: DirectoryNode) {}
        func descends(into entry: WalkEntry, of node: DirectoryNode, worker: Worker) -> Bool { true }
        func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: Worker) {}
        func kind(of entry: WalkEntry, in node: DirectoryNode, worker: Worker) -> EntryKind? { entry.kind }
        func listed(_ node: DirectoryNode, worker: Worker) {}
        func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: Worker) {}
    }

    @Test("no directory is told of before its parent, or behind its parent's end")
    func order() async throws {
        let tree = try TemporaryTree()
        var count = 1
        for (first, second, third) in [(30, 1, 1), (2, 40, 2), (1, 1, 60)] {
            for a in 0..<first {
                for b in 0..<second {
                    for c in 0..<third {
                        let parts = ["\(first)-\(a)", "\(b)", "\(c)"]
                        for depth in 1...3 { tree.makeDirectory(Array(parts[..<depth].joined(separator: "/").utf8)) }
                    }
                }
            }
            count += first * (1 + second * (1 + third))
        }
        for _ in 0..<10 {
            let root = DirectoryNode(root: DescriptorBudget(maximum: 1000))
            root.source = try HeldDirectory.openRoot(BytePath(tree.url.path))
            defer { root.closeHandles() }
            root.hold()
            let visitor = GatheringVisitor()
            let queue = WalkQueue(first: .directory(root), workers: 8, limit: 8)
            let walk = TreeWalk(
                root: root,
                queue: queue,
                visitor: visitor,
                control: RunControl(),
                processors: 2,
                mayWiden: false
            )
            await walk.run()
            let events = visitor.told.withLock { $0 }
            let places = Dictionary(uniqueKeysWithValues: events.enumerated().map { ($1, $0) })
            #expect(events.count(where: { if case .open = $0 { true } else { false } }) == count)
            for case .open(let path) in events where !path.bytes.isEmpty {
                let parent = BytePath(bytes: Array(path.components.dropLast().joined(separator: [UInt8(ascii: "/")])))
                let own = try #require(places[.open(path)])
                #expect(try #require(places[.open(parent)]) < own)
                if let end = places[.end(parent)] { #expect(own < end) }
            }
        }
    }
}
