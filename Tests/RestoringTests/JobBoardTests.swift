import MediasyncTesting
import Testing

@testable import Restoring

/// The order of work, by tables and by play.
@Suite struct JobBoardTests {
    private typealias Job = JobBoard.Job

    @Test("the largest job is handed out first, and helpers only where nothing else is left for them")
    func largestFirst() {
        var board = JobBoard([Job(cost: 1), Job(cost: 5), Job(cost: 4), Job(cost: 3)], workers: 2)
        #expect(board.take() == .job(1, helpers: 0))
        #expect(board.take() == .job(2, helpers: 0))
        board.finish(2)
        #expect(board.take() == .job(3, helpers: 1), "what is left is done long before it")
        board.finish(1)
        board.finish(3)
        #expect(board.take() == .job(0, helpers: 1))
        #expect(board.take() == .wait)
        board.finish(0)
        #expect(board.take() == .done)
    }

    @Test("a job that outweighs all the others gets helpers from its begin")
    func helpers() {
        var board = JobBoard([Job(cost: 100), Job(cost: 1)], workers: 2)
        #expect(board.take() == .job(0, helpers: 1))
    }

    @Test("jobs of one lane never run together, and the fullest lane goes first")
    func lanes() {
        var board = JobBoard(
            [Job(cost: 9), Job(cost: 5, lane: 1), Job(cost: 6, lane: 1), Job(cost: 8, lane: 2)],
            workers: 2
        )
        #expect(board.take() == .job(2, helpers: 0))
        #expect(board.take() == .job(0, helpers: 0))
        board.finish(0)
        #expect(board.take() == .job(3, helpers: 0))
        board.finish(3)
        #expect(board.take() == .wait)
        board.finish(2)
        #expect(board.take() == .job(1, helpers: 1))
        #expect(board.take() == .wait)
    }

    @Test("a lane that keeps its order hands out its first job however small it is")
    func order() {
        let lane = (0..<3).map { Job(cost: Double($0), lane: 7, keepsOrder: true) }
        var board = JobBoard(lane, workers: 2)
        for expected in 0..<3 {
            guard case .job(let job, _) = board.take() else { return #expect(Bool(false)) }
            #expect(job == expected)
            #expect(board.take() == .wait)
            board.finish(job)
        }
        #expect(board.take() == .done)
    }

    @Test("a stopped board hands out nothing, and is done when what runs has ended")
    func stop() {
        var board = JobBoard([Job(cost: 1), Job(cost: 2)], workers: 2)
        #expect(board.take() == .job(1, helpers: 0))
        board.stop()
        #expect(board.take() == .wait)
        board.finish(1)
        #expect(board.take() == .done)
        var empty = JobBoard([], workers: 1)
        #expect(empty.take() == .done)
    }

    @Test("whatever the order of events, each job is handed out once and no lane twice at a time", arguments: 1...20)
    func play(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let jobs = (0..<40).map { _ in
            Job(
                cost: Double.random(in: 0...10, using: &random),
                lane: [nil, 1, 2, 3].randomElement(using: &random) ?? nil
            )
        }
        var board = JobBoard(jobs, workers: 3)
        var running: [Int] = []
        var seen: [Int] = []
        while true {
            let next = running.count < 3 ? board.take() : .wait
            if case .done = next { break }
            if case .job(let job, _) = next {
                if let lane = jobs[job].lane { #expect(!running.contains { jobs[$0].lane == lane }, "seed \(seed)") }
                running.append(job)
                seen.append(job)
            } else {
                guard let ending = running.indices.randomElement(using: &random) else {
                    Issue.record("nothing runs and nothing is done, seed \(seed)")
                    return
                }
                board.finish(running.remove(at: ending))
            }
        }
        #expect(seen.sorted() == Array(0..<40), "seed \(seed)")
    }
}
