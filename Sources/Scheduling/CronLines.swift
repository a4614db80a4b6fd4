package import MediaModel

/// The same jobs for a crontab: where there is no systemd, or where it is not the administrator's.
package enum CronLines {
    /// Lines of a crontab of the user who owns the media.
    /// - Parameters:
    ///   - minute: of the hour at which everything begins.
    /// - Throws: an error with the code `usage` where a crontab cannot say a time.
    package static func text(_ jobs: [ScheduledJob], program: BytePath, minute: Int) throws(SyncError) -> String {
        var lines = ["# mediasync. Times are this machine's; output is mailed as cron does it."]
        for job in jobs {
            let command = ([program] + job.arguments.map { BytePath($0) }).map(quoted).joined(separator: " ")
            let isOnce = job.times.contains { if case .hour = $0 { true } else { false } }
            if isOnce { lines.append("# CRON_TZ=UTC; these are for once: take them out when they have run.") }
            for time in job.times {
                guard let fields = time.cronFields(minute: minute) else {
                    throw SyncError(
                        .usage,
                        "a crontab cannot say \(time.onCalendar)",
                        hint: "use hourly, daily, weekly or monthly, and change the five fields to your liking"
                    )
                }
                // Idle priority for the disk, low for the processor.
                lines.append("\(fields) nice -n 10 ionice -c 3 \(command) --quiet")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One word for sh, in a crontab, where `%` ends the command.
    static func quoted(_ word: BytePath) -> String {
        let text = String(decoding: word.bytes, as: UTF8.self)
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_./:,=@+".utf8.contains(byte)
            }
        if isPlain { return text }
        let escaped = text.replacing("'", with: "'\\''").replacing("%", with: "\\%")
        return "'\(escaped)'"
    }
}
