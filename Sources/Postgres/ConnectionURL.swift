internal import CPostgres
internal import MediaModel

/// A `DATABASE_URL`, read by libpq itself. Rails allows parameters in it that libpq refuses (`pool=5`): those are dropped
/// first.
enum ConnectionURL {
    /// Parameters that say how to reach a server, not what to do there. `options` could set anything, and a pooler
    /// refuses it.
    private static let known: Set<String> = [
        "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "sslmode", "sslcert", "sslkey",
        "sslrootcert", "sslcrl", "connect_timeout", "target_session_attrs", "gssencmode", "channel_binding",
    ]

    static func parameters(of url: String) throws(SyncError) -> [(String, String)] {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
            throw unreadable("it does not begin with postgres:// or postgresql://")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(filtered(url), &message) else {
            PQfreemem(message)
            throw unreadable("libpq does not understand it; special characters must be written as %XX")
        }
        defer { PQconninfoFree(options) }
        var found: [(String, String)] = []
        var cursor = options
        while let keyword = cursor.pointee.keyword {
            let name = String(cString: keyword)
            if let value = cursor.pointee.val, known.contains(name) { found.append((name, String(cString: value))) }
            cursor += 1
        }
        return found
    }

    private static func unreadable(_ why: String) -> SyncError {
        SyncError(.configuration, "cannot read DATABASE_URL", why: why, hint: "correct it in Mastodon's env file")
    }

    private static func filtered(_ url: String) -> String {
        guard let mark = url.firstIndex(of: "?") else { return url }
        let kept = url[url.index(after: mark)...].split(separator: "&").filter { pair in
            known.contains(String(pair.prefix { $0 != "=" }))
        }
        return String(url[..<mark]) + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    }
}
