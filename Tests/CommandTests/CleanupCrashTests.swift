#if DEBUG
    import MediaModel
    import MediasyncTesting
    import Testing

    /// `cleanup` dies at each step of its order, by the hook that debug builds have.
    @Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
    struct CleanupCrashTests {
        private static let killed: Int32 = 9
        private static let options = ["--days", "1", "--max-delete", "100%", "--jobs", "4"]
        /// Four batches of rows.
        private static let cards = 3400

        /// One step, the time it is reached, and whether rows have lost their names by then.
        struct Step: Sendable, CustomTestStringConvertible {
            let point: String
            let number: Int
            let hasCommitted: Bool
            var testDescription: String { "\(point):\(number)" }
        }

        static let steps = [
            Step(point: "intent-opened", number: 1, hasCommitted: false),
            Step(point: "intent-opened", number: 4, hasCommitted: false),
            Step(point: "rows-updated", number: 1, hasCommitted: false),
            Step(point: "rows-updated", number: 3, hasCommitted: false),
            Step(point: "rows-committed", number: 1, hasCommitted: true),
            Step(point: "rows-committed", number: 4, hasCommitted: true),
            Step(point: "file-removed", number: 1, hasCommitted: true),
            Step(point: "file-removed", number: 499, hasCommitted: true),
            Step(point: "file-removed", number: 1000, hasCommitted: true),
            Step(point: "files-removed", number: 1, hasCommitted: true),
            Step(point: "files-removed", number: 3, hasCommitted: true),
        ]

        @Test(
            "killed at any step, no row names a file that is gone, and the next run leaves nothing behind",
            arguments: steps
        )
        func kill(step: Step) throws {
            let name = step.testDescription.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
            let live = try CleanupLive("crash_\(name)", cards: Self.cards)
            var program = BinaryRunner.program()
            program.environment["MEDIASYNC_FAULT"] = "\(step.point):\(step.number):kill"
            let dead = try program.run(live.arguments(Self.options))
            #expect(dead.signal == Self.killed, "\(dead.errorText)")
            // What a dead session had not committed is rolled back once the server hears of its end.
            #expect(RunningProgram.eventually { (try? live.sessions()) == 0 })
            let named = try live.named()
            let files = Set((1...Self.cards).filter { live.hasFile($0) })
            #expect(named.subtracting(files).isEmpty)
            if step.hasCommitted { #expect(named.count < Self.cards) }
            let next = try live.run(Self.options)
            #expect(next.exitCode == 0, "\(next.errorText)")
            #expect(try live.named() == [Self.cards])
            #expect((1..<Self.cards).filter { live.hasFile($0) } == [])
            #expect(live.hasFile(Self.cards))
        }

        @Test(
            "sessions that end at any step end the run with rows and files whole, and the next run finishes",
            arguments: ["intent-opened:2", "rows-updated:2", "rows-committed:2"]
        )
        func lost(step: String) throws {
            let name = step.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
            let live = try CleanupLive("lost_\(name)", cards: Self.cards)
            var program = BinaryRunner.program()
            program.environment["MEDIASYNC_FAULT"] = "\(step):stop"
            let running = try program.start(live.arguments(Self.options))
            #expect(RunningProgram.eventually { running.isStopped })
            #expect(try live.endSessions() > 0)
            running.send(Self.continueSignal)
            let ended = running.wait()
            // A session that ends after its last statement is missed by nobody.
            #expect(ended.exitCode == 12 || ended.exitCode == 0, "\(ended.errorText)")
            if step.hasPrefix("rows-updated") { #expect(ended.exitCode == 12) }
            let named = try live.named()
            #expect(named.allSatisfy { live.hasFile($0) })
            let next = try live.run(Self.options)
            #expect(next.exitCode == 0, "\(next.errorText)")
            #expect(try live.named() == [Self.cards])
            #expect((1..<Self.cards).filter { live.hasFile($0) } == [])
        }

        private static let continueSignal: Int32 = 18

        @Test(
            "orphans: killed between files, or without its sessions, it removes no file of a row; the next run removes the rest"
        )
        func orphans() throws {
            let live = try CleanupLive("crash_orphans", cards: 1200)
            try live.sql("UPDATE preview_cards SET image_file_name = NULL WHERE id % 3 > 0")
            for id in 1...1200 {
                try Disk.setTime(CleanupLive.folders(id).reduce(live.root) { $0 / $1 } / "c\(id).png", 1_700_000_000)
            }
            let options = ["--orphans", "--max-delete", "100%", "--jobs", "2"]
            var program = BinaryRunner.program()
            program.environment["MEDIASYNC_FAULT"] = "file-removed:100:kill"
            #expect(try program.run(live.arguments(options)).signal == Self.killed)
            let kept = (1...1200).filter { $0 % 3 == 0 }
            #expect(kept.allSatisfy { live.hasFile($0) })
            program.environment["MEDIASYNC_FAULT"] = "file-removed:100:stop"
            let running = try program.start(live.arguments(options))
            #expect(RunningProgram.eventually { running.isStopped })
            _ = try live.endSessions()
            running.send(Self.continueSignal)
            let ended = running.wait()
            #expect(ended.exitCode == 12 || ended.exitCode == 0, "\(ended.errorText)")
            #expect(kept.allSatisfy { live.hasFile($0) })
            #expect(try live.run(options).exitCode == 0)
            #expect((1...1200).filter { live.hasFile($0) } == kept)
        }
    }
#endif
