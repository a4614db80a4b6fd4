import MediaModel
import Testing

@testable import Postgres

/// Where the database is, from Mastodon's variables.
@Suite struct ConnectionSettingsTests {
    private func settings(_ values: [String: String]) throws(SyncError) -> ConnectionSettings {
        try ConnectionSettings(mastodon: { values[$0] })
    }

    private func parameters(_ values: [String: String]) throws -> [String: String] {
        Dictionary(uniqueKeysWithValues: try settings(values).parameters.map { ($0.name, $0.value) })
    }

    @Test("the single variables are taken as they stand, empty ones are not set")
    func single() throws {
        let found = try parameters([
            "DB_HOST": "/var/run/postgresql", "DB_PORT": "6432", "DB_NAME": "m", "DB_USER": "u", "DB_PASS": "",
            "DB_SSLMODE": "require",
        ])
        #expect(
            found == ["host": "/var/run/postgresql", "port": "6432", "dbname": "m", "user": "u", "sslmode": "require"]
        )
        #expect(try parameters([:]) == [:])
    }

    @Test("DATABASE_URL wins over them; what only Rails knows is dropped")
    func url() throws {
        let found = try parameters([
            "DATABASE_URL":
                "postgresql://us%40er:p%2Fw@db.example:5433/name?pool=5&sslmode=verify-full&prepared_statements=false&options=-c%20x=y",
            "DB_HOST": "other",
        ])
        #expect(
            found == [
                "host": "db.example", "port": "5433", "dbname": "name", "user": "us@er", "password": "p/w",
                "sslmode": "verify-full",
            ]
        )
        #expect(
            try parameters(["DATABASE_URL": "postgres://%2Fvar%2Frun/name"]) == ["host": "/var/run", "dbname": "name"]
        )
        #expect(try parameters(["DATABASE_URL": "postgres:///n?host=/run/pg"]) == ["host": "/run/pg", "dbname": "n"])
    }

    @Test(
        "a DATABASE_URL that cannot be read is an error of the configuration, and none of it is repeated",
        arguments: ["mysql://u:secret@h/n", "postgres://u:secret%zz@h/n", "secret", "postgres://u:secret@[::1/n"]
    )
    func broken(url: String) {
        do throws(SyncError) {
            _ = try settings(["DATABASE_URL": url])
            Issue.record("read")
        } catch {
            #expect(error.code == .configuration)
            #expect(!"\(error) \(error.hint ?? "")".contains("secret"))
        }
    }

    @Test("a password is in no description and in no dump of the value")
    func password() throws {
        let found = try settings(["DB_HOST": "h", "DB_USER": "u", "DB_PASS": "secret"])
        var text = ""
        dump(found, to: &text)
        #expect(!"\(found) \(String(reflecting: found)) \(text)".contains("secret"))
        #expect(found.description == "database by default on h as u")
        #expect(found.programEnvironment["PGPASSWORD"] == "secret")
        #expect(found.with(database: "x").parameters.contains { $0 == ("password", "secret") })
    }

    @Test("a name that would drive a terminal is escaped")
    func escaped() throws {
        let found = try settings(["DB_NAME": "a\u{1B}[2J"])
        #expect(!found.description.contains("\u{1B}"))
    }
}
