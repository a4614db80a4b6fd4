internal import Pacing

/// The board for several threads: each takes work until there is none, and waits where what is left is blocked.
final class JobRunner: Sendable {
    private let board: Monitor<JobBoard>

    init(_ board: JobBoard) {
        self.board = Monitor(board)
    }

    /// Hands jobs to the calling thread until none are left. What `body` throws ends it for this thread; others stop
    /// after the job they have.
    func work<Failure: Error>(_ body: (_ job: Int, _ helpers: Int) throws(Failure) -> Void) throws(Failure) {
        while let (job, helpers) = next() {
            do throws(Failure) {
                try body(job, helpers)
            } catch {
                stop()
                finish(job)
                throw error
            }
            finish(job)
        }
    }

    func stop() {
        board.withLock { $0.stop() }
        board.wakeAll()
    }

    private func next() -> (job: Int, helpers: Int)? {
        board.wait { board -> (Int, Int)?? in
            switch board.take() {
            case .job(let job, let helpers): .some((job, helpers))
            case .wait: nil
            case .done: .some(nil)
            }
        }
    }

    private func finish(_ job: Int) {
        board.withLock { $0.finish(job) }
        board.wakeAll()
    }
}
