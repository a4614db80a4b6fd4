internal import MediaModel

extension Check {
    static let settings = [
        Check("settings") { facts, name in
            let found = facts.settings
            if let error = found.error { return Finding(name, error, origin: found.envFile?.origin) }
            guard let file = found.envFile else {
                let verdict: Finding.Verdict = found.namesDatabase ? .warning : .problem(.configuration)
                return Finding(
                    name,
                    "none found",
                    verdict: verdict,
                    remedy: "name Mastodon's .env.production with --env-file"
                )
            }
            if let line = found.strangeLines.first {
                let more = found.strangeLines.count > 1 ? " and \(found.strangeLines.count - 1) more" : ""
                return Finding(
                    name,
                    "\(file.value), where line \(line)\(more) is no setting",
                    origin: file.origin,
                    verdict: .warning,
                    remedy: "write NAME=value, with quotes around blanks and #"
                )
            }
            return Finding(name, file.value, origin: file.origin)
        },
        Check("secrets") { facts, name in
            guard let file = facts.settings.envFile, let mode = facts.settings.mode else { return nil }
            let text = "mode \(Self.octal(mode))"
            guard mode & 0o007 != 0 else { return Finding(name, text) }
            return Finding(
                name,
                "\(text): everybody on this machine can read the passwords",
                verdict: .warning,
                remedy: "chmod o= \(file.value)"
            )
        },
        Check("redis") { facts, name in
            facts.settings.redis.map { Finding(name, $0.value, origin: $0.origin) }
        },
    ]

    static func octal(_ mode: UInt32) -> String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
