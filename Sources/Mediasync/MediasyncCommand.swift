import ArgumentParser

/// The command line's root.
struct MediasyncCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "mediasync",
        abstract: "Move a Mastodon server's database and media, and repair what is missing afterwards.",
        discussion: """
            Examples:
              mediasync restore -n mastodon.dump
              mediasync copy /mnt/old/public/system /home/mastodon/live/public/system
              mediasync copy --only local -n /mnt/old/public/system /srv/media
              mediasync refresh --days 1
              mediasync verify /mnt/old/public/system /srv/media
              mediasync manifest /srv/media > media.xxh3
              mediasync copy media.tar.gz /home/mastodon/live/public/system
              mediasync export --keep-days 14 /var/backups/mastodon
            """,
        version: version,
        subcommands: [AgentCommand.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Move",
                subcommands: [MigrateCommand.self, RestoreCommand.self, CopyCommand.self, ExportCommand.self]
            ),
            CommandGroup(name: "Check", subcommands: [VerifyCommand.self, ManifestCommand.self, LookupCommand.self]),
            CommandGroup(name: "Repair", subcommands: [RepairCommand.self, RefreshCommand.self, CleanupCommand.self]),
            CommandGroup(name: "Operate", subcommands: [StatusCommand.self, DoctorCommand.self, ScheduleCommand.self]),
        ]
    )
}
