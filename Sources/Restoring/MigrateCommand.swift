internal import MediaModel
internal import Postgres
internal import Programs

/// The user's own command that brings a stage to the installed Mastodon's schema, before it goes live.
struct MigrateCommand {
    var command: String
    var settings: ConnectionSettings
    /// The environment of the process, which the command needs for its own programs.
    var environment: [String: String]
    var shouldStop: () -> Bool

    /// Runs it by `sh` with Mastodon's variables set to the stage.
    func run() throws(SyncError) {
        var all = environment
        all.merge(settings.mastodonEnvironment) { $1 }
        all["DATABASE_URL"] = nil
        all["RAILS_ENV"] = all["RAILS_ENV"] ?? "production"
        all["MEDIASYNC_STAGE"] = settings.database ?? ""
        let call = ProgramCall(
            BytePath("/bin/sh"),
            [BytePath("-c"), BytePath(command)],
            environment: all
        )
        let child = try ChildProgram(call, output: .withErrors)
        defer { child.end() }
        var last: String?
        let exitCode = child.listen(shouldStop: shouldStop) { line in
            if !line.isEmpty { last = BytePath.escaped(line) }
        }
        guard exitCode == 0 else {
            throw SyncError(
                .unexpected,
                "the migrate command failed",
                why: "\(exitCode.map { "exit \($0)" } ?? "ended by a signal")" + (last.map { ": \($0)" } ?? ""),
                hint: "the stage is dropped and the old database is as it was"
            )
        }
    }
}
