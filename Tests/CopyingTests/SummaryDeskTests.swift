import Testing
import Wire

@testable import Copying

@Suite("Directories whose summaries are with the other end") struct SummaryDeskTests {
    private let queue = WalkQueue(
        first: .directory(DirectoryNode(root: DescriptorBudget(maximum: 8))),
        workers: 1,
        limit: 1
    )

    private func node(_ entries: Int) -> DirectoryNode {
        let node = DirectoryNode(root: DescriptorBudget(maximum: 8))
        node.summarizedEntries = entries
        return node
    }

    /// How many of 64 entries each can be on their way.
    private func sendAll(_ desk: SummaryDesk) throws -> [UInt32] {
        var sent: [UInt32] = []
        while sent.count < 2000, desk.isWorthTrying() {
            sent.append(try #require(desk.depart(node(64), from: queue) { Issue.record("it waits") }))
        }
        return sent
    }

    @Test("begin few, become more as they are the same, and stop where they differ")
    func slowStart() throws {
        let desk = SummaryDesk(directories: 1000)
        #expect(desk.terms == nil)
        desk.ask(SummaryTerms(comparesOwners: false, wantsNames: true))
        #expect(desk.terms == SummaryTerms(comparesOwners: false, wantsNames: true))
        // 2,048 entries, and the one that goes beyond.
        let first = try sendAll(desk)
        #expect(first.count == 33)
        for id in first {
            guard case .settled = try desk.answer(id, isSame: true) else { throw WireFault("the walk goes in") }
        }
        // Twice as many as were the same, beside those of the beginning.
        let second = try sendAll(desk)
        #expect(second.count == 99)
        for id in second {
            guard case .directory = try desk.answer(id, isSame: false) else { throw WireFault("the walk stays out") }
        }
        #expect(!desk.isWorthTrying())
        // One in 64 is tried all the same.
        let trials = (0..<640).count { _ in desk.isWorthTrying() }
        #expect(trials == 10)
    }

    @Test("are answered once, and only where they were sent")
    func answers() throws {
        let desk = SummaryDesk(directories: 10)
        let id = try #require(desk.depart(node(5), from: queue) {})
        #expect(throws: WireFault("a summary is answered that was not sent")) {
            try desk.answer(id &+ 1, isSame: true)
        }
        _ = try desk.answer(id, isSame: true)
        #expect(throws: WireFault("a summary is answered that was not sent")) { try desk.answer(id, isSame: true) }
    }

    @Test("wait for room, after what was kept back was sent; and for nothing once the connection is closed")
    func room() async throws {
        let desk = SummaryDesk(directories: 1)
        let id = try #require(desk.depart(node(5), from: queue) {})
        // Whoever waits has sent what the answer needs: the answer comes from there.
        let second = desk.depart(node(6), from: queue) { _ = try? desk.answer(id, isSame: true) }
        #expect(second != nil)
        #expect(desk.depart(node(7), from: queue) { desk.close() } == nil)
        #expect(desk.depart(node(8), from: queue) { Issue.record("it waits") } == nil)
    }

    @Test("keep a walk from its end until they came back")
    func walk() throws {
        let desk = SummaryDesk(directories: 10)
        #expect(queue.take(worker: 0, wasRunning: false).count == 1)
        let ids = try (0..<2).map { _ in try #require(desk.depart(node(5), from: queue) {}) }
        queue.comeBack(try desk.answer(ids[0], isSame: true))
        queue.comeBack(try desk.answer(ids[1], isSame: false))
        let returned = queue.take(worker: 0, wasRunning: true)
        #expect(returned.count == 2)
        #expect(queue.takeReturned().isEmpty)
        #expect(queue.take(worker: 0, wasRunning: true).isEmpty)
    }
}
