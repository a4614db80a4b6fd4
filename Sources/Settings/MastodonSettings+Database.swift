/// A part of a database's address.
package enum DatabasePart: String, Sendable, CaseIterable {
    case host = "DB_HOST"
    case port = "DB_PORT"
    case database = "DB_NAME"
    case user = "DB_USER"
    case password = "DB_PASS"
    case sslMode = "DB_SSLMODE"

    /// libpq's own variable for it.
    package var libpqName: String {
        switch self {
        case .host: "PGHOST"
        case .port: "PGPORT"
        case .database: "PGDATABASE"
        case .user: "PGUSER"
        case .password: "PGPASSWORD"
        case .sslMode: "PGSSLMODE"
        }
    }
}

extension MastodonSettings {
    /// The name of Mastodon's database where nobody says another.
    package static let defaultDatabase = "mastodon_production"

    /// Whether anything says where the database is.
    package var namesDatabase: Bool {
        let names = ["DATABASE_URL", "DB_HOST", "DB_NAME", "DB_USER", "PGHOST", "PGDATABASE", "PGSERVICE"]
        return envFile != nil || names.contains { self[$0] != nil }
    }

    /// What is taken for a part that Mastodon's settings are silent about: what Mastodon itself takes, after libpq's own
    /// variables. Nil for what libpq decides.
    package func fallback(for part: DatabasePart) -> String? {
        switch part {
        case .host: environmentValue("PGHOST") == nil && envFile != nil ? "localhost" : nil
        case .user: environmentValue("PGUSER") == nil && envFile != nil ? "mastodon" : nil
        case .database: environmentValue("PGDATABASE") ?? Self.defaultDatabase
        case .port, .password, .sslMode: nil
        }
    }

    /// Where a part of the address came from. `DATABASE_URL` wins over the single ones.
    package func origin(of part: DatabasePart) -> SettingOrigin {
        if let url = filled("DATABASE_URL") { return url.origin }
        if let own = filled(part.rawValue) { return own.origin }
        return environmentValue(part.libpqName) == nil ? .standard : .environment(part.libpqName)
    }

    /// libpq reads its variables from the process alone, never from Mastodon's file.
    private func environmentValue(_ name: String) -> String? {
        guard let value = self[name], case .environment = value.origin else { return nil }
        return value.text
    }
}
