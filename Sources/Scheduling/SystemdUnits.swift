package import MediaModel

/// The units of one job: a service that runs once, confined as Mastodon's own, and the timer that starts it.
package struct SystemdUnits: Sendable {
    /// The first line of every file that mediasync writes: files without it are somebody else's.
    package static let mark = "# Written by mediasync schedule. mediasync schedule remove takes it away."

    /// What the services of one machine have in common.
    package struct Place: Sendable {
        /// The program's own path.
        package var program: BytePath
        /// Whom it runs as: the owner of the media.
        package var user: String
        /// What it may write: the media root.
        package var mediaRoot: BytePath
        /// Up to how long each start is put off, in seconds: other servers are not all asked at the same minute.
        package var delaySeconds: Int

        package init(program: BytePath, user: String, mediaRoot: BytePath, delaySeconds: Int = 3600) {
            self.program = program
            self.user = user
            self.mediaRoot = mediaRoot
            self.delaySeconds = delaySeconds
        }
    }

    private let scheduled: ScheduledJob
    private let place: Place

    package init(_ scheduled: ScheduledJob, _ place: Place) {
        self.scheduled = scheduled
        self.place = place
    }

    package var serviceName: String { "\(scheduled.job.unitName).service" }
    package var timerName: String { "\(scheduled.job.unitName).timer" }

    package var service: String {
        let command = ([place.program] + scheduled.arguments.map { BytePath($0) }).map(Self.quoted)
        return """
            \(Self.mark)
            [Unit]
            Description=mediasync: \(scheduled.job.summary)
            Documentation=man:mediasync(1)
            Wants=network-online.target
            After=network-online.target postgresql.service
            RequiresMountsFor=\(Self.quoted(place.mediaRoot))

            [Service]
            Type=oneshot
            User=\(place.user)
            ExecStart=\(command.joined(separator: " "))
            # Some servers of a thousand are always down (3); a limit of time is no failure (5).
            SuccessExitStatus=3 5
            StateDirectory=mediasync
            Environment=MEDIASYNC_STATE=%S/mediasync
            TimeoutStartSec=infinity
            TimeoutStopSec=30s
            LimitNOFILE=65536

            # Nobody waits for it.
            Nice=10
            CPUWeight=20
            IOSchedulingClass=idle

            # It reads Mastodon's settings, talks to the database and to other servers, and writes media.
            ReadWritePaths=\(Self.quoted(place.mediaRoot))
            ProtectSystem=strict
            ProtectHome=read-only
            PrivateTmp=true
            PrivateDevices=true
            NoNewPrivileges=true
            CapabilityBoundingSet=
            ProtectClock=true
            ProtectControlGroups=true
            ProtectHostname=true
            ProtectKernelLogs=true
            ProtectKernelModules=true
            ProtectKernelTunables=true
            ProtectProc=invisible
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
            RestrictNamespaces=true
            RestrictRealtime=true
            RestrictSUIDSGID=true
            LockPersonality=true
            RemoveIPC=true
            SystemCallArchitectures=native
            UMask=0027

            """
    }

    package var timer: String {
        let times = scheduled.times.map { "OnCalendar=\($0.onCalendar)" }.joined(separator: "\n")
        return """
            \(Self.mark)
            [Unit]
            Description=mediasync: \(scheduled.job.summary)
            Documentation=man:mediasync(1)

            [Timer]
            \(times)
            RandomizedDelaySec=\(place.delaySeconds)
            Persistent=true

            [Install]
            WantedBy=timers.target

            """
    }

    /// One word of a command line, as systemd reads it: no specifier, no variable, no escape of its own.
    static func quoted(_ word: BytePath) -> String {
        let text = String(decoding: word.bytes, as: UTF8.self)
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_./:,=@+".utf8.contains(byte)
            }
        if isPlain { return text }
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\\", "\"": quoted += "\\\(character)"
            case "%": quoted += "%%"
            case "$": quoted += "$$"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }
}
