extension Reporter {
    /// How often live lines are redrawn and waiting lines are written.
    package static let tickInterval = Duration.milliseconds(200)

    /// Ticks until the task is cancelled. The only place of this module that waits.
    /// - Parameter wallClock: seconds since 1970.
    package func run<C: Clock<Duration>>(clock: C, wallClock: @Sendable () -> Int64) async {
        let begin = clock.now
        while !Task.isCancelled {
            do {
                try await clock.sleep(for: Self.tickInterval)
            } catch {
                return
            }
            tick(at: ReportTime(elapsed: begin.duration(to: clock.now), secondsSince1970: wallClock()))
        }
    }
}
