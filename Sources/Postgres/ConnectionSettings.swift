package import MediaModel

/// Where the database is and who asks. What is not set here is left to libpq: its variables (`PGHOST`, ...), its service
/// and password files, its defaults.
package struct ConnectionSettings: Sendable, Equatable {
    /// A name, an address, or a socket directory.
    package var host: String?
    package var port: String?
    package var database: String?
    package var user: String?
    /// Never printed.
    private var password: Password?
    package var sslMode: String?
    /// Further parameters of a DATABASE_URL that libpq knows: certificates and the like.
    private var more: [String: String] = [:]

    package init() {}

    /// The settings of a Mastodon server, as Mastodon reads them: `DATABASE_URL` wins over the single ones.
    /// - Parameter value: looks a variable of Mastodon's environment up.
    package init(mastodon value: (String) -> String?) throws(SyncError) {
        func set(_ name: String) -> String? { value(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let url = set("DATABASE_URL") {
            try self.init(url: url)
            return
        }
        self.init()
        host = set("DB_HOST")
        port = set("DB_PORT")
        database = set("DB_NAME")
        user = set("DB_USER")
        password = set("DB_PASS").map(Password.init)
        sslMode = set("DB_SSLMODE")
    }

    /// - Parameter url: `postgresql://user:password@host:port/name?sslmode=...`. It may hold a password, so no part of it is
    ///   repeated in an error.
    package init(url: String) throws(SyncError) {
        self.init()
        for (name, value) in try ConnectionURL.parameters(of: url) {
            switch name {
            case "host": host = value
            case "port": port = value
            case "dbname": database = value
            case "user": user = value
            case "password": password = Password(value)
            case "sslmode": sslMode = value
            default: more[name] = value
            }
        }
    }

    /// The same server and user, another database.
    package func with(database: String) -> ConnectionSettings {
        var other = self
        other.database = database
        return other
    }

    /// The same with another password, e.g. for a role of its own.
    package mutating func setPassword(_ text: String) {
        password = Password(text)
    }

    /// What libpq is told, name by name.
    var parameters: [(name: String, value: String)] {
        var all = more.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        func add(_ name: String, _ value: String?) {
            if let value { all.append((name, value)) }
        }
        add("host", host)
        add("port", port)
        add("dbname", database)
        add("user", user)
        add("password", password?.text)
        add("sslmode", sslMode)
        return all
    }

    /// Variables for PostgreSQL's own programs, which are told nothing on their command line.
    package var programEnvironment: [String: String] {
        var all: [String: String] = [:]
        let names = [
            "host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
            "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
        ]
        for (name, value) in parameters { if let variable = names[name] { all[variable] = value } }
        return all
    }

    /// Variables for Mastodon's own programs.
    package var mastodonEnvironment: [String: String] {
        let values = [
            "DB_HOST": host, "DB_PORT": port, "DB_NAME": database, "DB_USER": user, "DB_PASS": password?.text,
            "DB_SSLMODE": sslMode,
        ]
        return values.compactMapValues { $0 }
    }

    /// A text that no description shows.
    private struct Password: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        let text: String
        init(_ text: String) { self.text = text }
        var description: String { "..." }
        var customMirror: Mirror { Mirror(self, children: []) }
    }
}

extension ConnectionSettings: CustomStringConvertible {
    /// `database mastodon_production on localhost:5432 as mastodon`, without a password.
    package var description: String {
        func shown(_ text: String?) -> String? { text.map { BytePath.escaped(Array($0.utf8)) } }
        let place = shown(host).map { port == nil ? $0 : "\($0):\(shown(port) ?? "")" } ?? "the default server"
        return "database \(shown(database) ?? "by default") on \(place)" + (shown(user).map { " as \($0)" } ?? "")
    }
}
