internal import Glibc

extension ChildProgram {
    /// A program that was asked to end has this long to undo what it did, then it is killed.
    package static let patience = Duration.seconds(20)
    private static let pollMilliseconds: Int32 = 100

    /// Hears what it says, line by line, until it ends.
    /// - Parameters:
    ///   - shouldStop: asked ten times a second: true asks it and what it started to end (SIGTERM).
    ///   - patience: how long it may take for that.
    ///   - tick: called ten times a second at most.
    ///   - line: one line of either output, at most 4,096 bytes of it. Anything may stand there.
    /// - Returns: its exit code; nil where a signal ended it.
    package func listen(
        shouldStop: () -> Bool,
        patience: Duration = ChildProgram.patience,
        tick: () -> Void = {},
        line: ([UInt8]) -> Void
    ) -> Int32? {
        var cutter = LineCutter()
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        var nextTick = clock.now
        while errors >= 0 {
            let now = clock.now
            if deadline == nil, shouldStop() {
                signal(SIGTERM)
                deadline = now + patience
            }
            if let end = deadline, now > end {
                signal(SIGKILL)
                break
            }
            if now >= nextTick {
                tick()
                nextTick = now + .milliseconds(100)
            }
            var waiting = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Self.pollMilliseconds) > 0 else {
                // Something that it left behind may hold the pipe for ever.
                if hasEnded { break }
                continue
            }
            let count = Glibc.read(errors, &buffer, buffer.count)
            if count > 0 {
                cutter.take(buffer[..<count], line: line)
            } else if count == 0 || errno != EINTR {
                closeErrors()
            }
        }
        cutter.finish(line: line)
        waitForEnd(deadline, patience, shouldStop, clock)
        tick()
        return exitCode
    }

    /// A program may close its outputs and go on.
    private func waitForEnd(
        _ asked: ContinuousClock.Instant?,
        _ patience: Duration,
        _ shouldStop: () -> Bool,
        _ clock: ContinuousClock
    ) {
        var deadline = asked
        while !hasEnded {
            if deadline == nil, shouldStop() {
                signal(SIGTERM)
                deadline = clock.now + patience
            }
            if let end = deadline, clock.now > end { signal(SIGKILL) }
            _ = poll(nil, 0, 10)
        }
    }
}
