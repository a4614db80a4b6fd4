import MediaModel
import Synchronization

/// How long each stage of a run takes: told when one begins, which ends the one before.
final class StageClock: Sendable {
    private struct State {
        var times: [StageTime] = []
        var begin: ContinuousClock.Instant?
    }

    private let clock = ContinuousClock()
    private let state = Mutex(State())

    func begin(_ stage: String) {
        let now = clock.now
        state.withLock { state in
            Self.end(&state, now)
            state.times.append(StageTime(stage: stage, elapsed: .zero))
            state.begin = now
        }
    }

    /// Ends the last one.
    func finish() -> [StageTime] {
        let now = clock.now
        return state.withLock { state in
            Self.end(&state, now)
            return state.times
        }
    }

    private static func end(_ state: inout State, _ now: ContinuousClock.Instant) {
        guard let begin = state.begin, let last = state.times.indices.last else { return }
        state.times[last].elapsed = begin.duration(to: now)
        state.begin = nil
    }
}
