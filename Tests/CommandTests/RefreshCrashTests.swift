#if DEBUG
    import MediaModel
    import MediasyncTesting
    import Testing

    /// `refresh` dies, or loses its sessions, at each step of its order, by the hook that debug builds have.
    @Suite(
        .enabled(
            if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
            "needs PostgreSQL's server programs, setpriv and ffmpeg"
        )
    )
    struct RefreshCrashTests {
        private static let killed: Int32 = 9
        private static let continueSignal: Int32 = 18

        @Test(
            "killed at any step, no row names a file that is not there, and the next run leaves nothing behind",
            arguments: [
                "intent-opened:1", "intent-opened:3", "file-published:1", "file-published:2", "file-published:7",
                "rows-updated:1", "rows-updated:2", "rows-committed:1", "rows-committed:2", "file-removed:1",
                "file-removed:4", "files-removed:1", "files-removed:5",
            ]
        )
        func kill(step: String) throws {
            let name = step.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
            let database = "rcrash_\(name)"
            let picture = try RefreshLive.picture.get()
            // In four waves, however fast pictures are decoded: those of a wave share an intent and a transaction. The last one
            // waits until others are committed, however slow the machine is.
            let live = try RefreshLive(database, attachments: 20) { request in
                let answer = OriginAnswer.body(picture, type: "image/jpeg")
                let number = Int(request.path.dropFirst(2)) ?? 0
                if number == 20 {
                    Self.waitForRow(database)
                    return answer
                }
                return number % 4 == 0 ? answer : .late(seconds: 0.5 * Double(number % 4), answer)
            }
            // Files are removed where there are old ones.
            let isRemoval = step.hasPrefix("file-removed")
            if isRemoval { #expect(try live.run().exitCode == 0) }
            let options = RefreshLive.options + (isRemoval ? ["--force"] : [])
            var program = BinaryRunner.program()
            program.environment["MEDIASYNC_FAULT"] = "\(step):kill"
            let dead = try program.run(live.arguments(options))
            #expect(dead.signal == Self.killed, "\(dead.errorText)")
            #expect(try live.audit().broken == [])
            let next = try live.run()
            #expect(next.exitCode == 0, "\(next.errorText)")
            let audit = try live.audit()
            #expect(audit.named == 20)
            #expect(audit.broken == [] && audit.orphans == [])
        }

        /// Waits until a row names a file, a bounded time.
        private static func waitForRow(_ database: String) {
            let statement = "SELECT count(*) FROM media_attachments WHERE file_file_name IS NOT NULL"
            _ = RunningProgram.eventually(within: 8) {
                RunningProgram.pause(milliseconds: 50)
                return (try? CleanupLive.cluster.get().sql(statement, database: database)) != "0"
            }
        }

        @Test(
            "sessions that end at any step are made anew; what was committed is found out, not guessed",
            arguments: ["rows-updated:1", "rows-committed:1", "file-published:3"]
        )
        func lost(step: String) throws {
            let name = step.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
            let live = try RefreshLive("rlost_\(name)", attachments: 20)
            var program = BinaryRunner.program()
            program.environment["MEDIASYNC_FAULT"] = "\(step):stop"
            let running = try program.start(live.arguments(RefreshLive.options))
            #expect(RunningProgram.eventually { running.isStopped })
            let ended = try CleanupLive.cluster.get().sql(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = '\(live.name)' AND application_name LIKE 'mediasync%'
                """
            )
            #expect((Int(ended) ?? 0) > 0)
            running.send(Self.continueSignal)
            let result = running.wait()
            #expect(result.exitCode == 0, "\(result.errorText)")
            let audit = try live.audit()
            #expect(audit.named == 20)
            #expect(audit.broken == [] && audit.orphans == [])
        }
    }
#endif
