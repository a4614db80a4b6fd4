import MediaModel
import Testing

@testable import Settings

/// Where a server's settings are found, and what each says it came from.
@Suite struct MastodonSettingsTests {
    private static let live = "/home/mastodon/live/.env.production"

    /// Settings as they are read on a machine with these files.
    private func settings(
        flag: String? = nil,
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws(SyncError) -> MastodonSettings {
        try MastodonSettings(
            envFile: flag.map { BytePath($0) },
            environment: environment,
            isReadable: { files[$0] != nil },
            read: { (path) throws(SyncError) in
                guard let text = files[path.description] else { throw SyncError(.usage, "cannot open \(path)") }
                return Array(text.utf8)
            }
        )
    }

    @Test("the file that a flag names comes first, then the variable, then the first usual place that is there")
    func envFile() throws {
        let snap = "/var/snap/mastodon-server/common/mastodon.conf"
        let files = ["/a": "", "/b": "", Self.live: "", snap: ""]
        let variable = ["MEDIASYNC_ENV_FILE": "/b"]
        let named = try settings(flag: "/a", environment: variable, files: files).envFile
        #expect(named == .init(path: BytePath("/a"), origin: .flag("--env-file")))
        let set = try settings(environment: variable, files: files).envFile
        #expect(set == .init(path: BytePath("/b"), origin: .environment("MEDIASYNC_ENV_FILE")))
        #expect(try settings(files: files).envFile == .init(path: BytePath(Self.live), origin: .usualPlace))
        #expect(try settings(files: [snap: ""]).envFile?.path == BytePath(snap))
        #expect(try settings(environment: ["MEDIASYNC_ENV_FILE": ""]).envFile == nil)
    }

    @Test("a file that is named and cannot be read is an error of the configuration", arguments: [true, false])
    func unreadable(byFlag: Bool) {
        do throws(SyncError) {
            _ =
                try byFlag
                ? settings(flag: "/none")
                : settings(environment: ["MEDIASYNC_ENV_FILE": "/none"], files: [Self.live: ""])
            Issue.record("read")
        } catch {
            #expect(error.code == .configuration)
            #expect(error.hint == "check --env-file")
        }
    }

    @Test("the process's variables win over the file, also where they are empty, and each value says where it is from")
    func values() throws {
        let found = try settings(
            environment: ["A": "own", "E": ""],
            files: [Self.live: "A=file\nB=two\nE=x\nnonsense\n"]
        )
        #expect(found["A"] == .init(text: "own", origin: .environment("A")))
        #expect(found["B"] == .init(text: "two", origin: .file("B", BytePath(Self.live))))
        #expect(found["B"]?.origin.description == "B in /home/mastodon/live/.env.production")
        #expect(found["C"] == nil)
        #expect(found.filled("E") == nil)
        #expect(found.strangeLines == [4])
    }

    @Test("what Mastodon would take stands in where its settings are silent, after libpq's variables")
    func fallbacks() throws {
        let file = try settings(files: [Self.live: "PGHOST=not-libpqs"])
        #expect(file.fallback(for: .host) == "localhost")
        #expect(file.fallback(for: .user) == "mastodon")
        #expect(file.fallback(for: .database) == "mastodon_production")
        let variables = ["PGHOST": "h", "PGUSER": "u", "PGDATABASE": "d"]
        let libpq = try settings(environment: variables, files: [Self.live: ""])
        #expect(libpq.fallback(for: .host) == nil)
        #expect(libpq.fallback(for: .user) == nil)
        #expect(libpq.fallback(for: .database) == "d")
        let nothing = try settings()
        #expect(nothing.fallback(for: .host) == nil)
        #expect(!nothing.namesDatabase)
        #expect(try settings(environment: ["PGSERVICE": "s"]).namesDatabase)
    }

    @Test(
        "a part of the database's address is from DATABASE_URL, its own name, libpq's variable, or nobody",
        arguments: DatabasePart.allCases
    )
    func origins(part: DatabasePart) throws {
        let own = "\(part.rawValue)=x"
        let url = try settings(environment: ["DATABASE_URL": "postgres://h/n"], files: [Self.live: own])
        #expect(url.origin(of: part) == .environment("DATABASE_URL"))
        let single = try settings(environment: [part.libpqName: "y"], files: [Self.live: own])
        #expect(single.origin(of: part) == .file(part.rawValue, BytePath(Self.live)))
        let libpq = try settings(environment: [part.libpqName: "y"], files: [Self.live: "\(part.rawValue)="])
        #expect(libpq.origin(of: part) == .environment(part.libpqName))
        #expect(try settings(files: [Self.live: "\(part.libpqName)=y"]).origin(of: part) == .standard)
    }

    @Test("the media root is the flag's, the variable's, Paperclip's, or beside the settings")
    func mediaRoot() throws {
        let paperclip = [Self.live: "PAPERCLIP_ROOT_PATH=/srv/media"]
        let all = try settings(environment: ["MEDIASYNC_MEDIA_ROOT": "/m"], files: paperclip)
        #expect(try all.mediaRoot(flag: BytePath("/f")) == .init(path: BytePath("/f"), origin: .flag("--media-root")))
        #expect(try all.mediaRoot(flag: nil).origin == .environment("MEDIASYNC_MEDIA_ROOT"))
        let own = try settings(files: paperclip).mediaRoot(flag: nil)
        #expect(own == .init(path: BytePath("/srv/media"), origin: .file("PAPERCLIP_ROOT_PATH", BytePath(Self.live))))
        let rails = try settings(files: [Self.live: "PAPERCLIP_ROOT_PATH=:rails_root/up"]).mediaRoot(flag: nil)
        #expect(rails.path == BytePath("/home/mastodon/live/up"))
        let beside = try settings(files: [Self.live: ""]).mediaRoot(flag: nil)
        #expect(beside.path == BytePath("/home/mastodon/live/public/system"))
        #expect(beside.origin.description == "public/system beside /home/mastodon/live/.env.production")
        let snap = try settings(flag: "/s/mastodon.conf", files: ["/s/mastodon.conf": ""]).mediaRoot(flag: nil)
        #expect(snap.path == BytePath("/s/media"))
        let here = try settings(flag: "mine", files: ["mine": ""]).mediaRoot(flag: nil)
        #expect(here.path == BytePath("./public/system"))
    }

    @Test("media in object storage have no directory, unless one is named; nobody's settings have none either")
    func noMediaRoot() throws {
        for name in ["S3_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED"] {
            let storage = try settings(files: [Self.live: "\(name)=true"])
            #expect(throws: SyncError.self) { try storage.mediaRoot(flag: nil) }
            #expect(try storage.mediaRoot(flag: BytePath("/f")).path == BytePath("/f"))
            #expect(try settings(files: [Self.live: "\(name)=false"]).mediaRoot(flag: nil).origin != .standard)
        }
        do throws(SyncError) {
            _ = try settings().mediaRoot(flag: nil)
            Issue.record("found")
        } catch {
            #expect(error.code == .configuration)
        }
    }

    @Test("Redis is where its URL says, without the password, else where host, port and database say")
    func redis() throws {
        let url = try settings(files: [Self.live: "REDIS_URL=redis://:hush@r:6380/2\nREDIS_HOST=other"]).redis
        #expect(url?.text == "redis://:...@r:6380/2")
        let parts = try settings(environment: ["REDIS_PORT": "6380"], files: [Self.live: ""]).redis
        #expect(parts == .init(text: "localhost:6380/0", origin: .environment("REDIS_PORT")))
        #expect(try settings(files: [Self.live: ""]).redis?.origin == .standard)
        #expect(try settings().redis == nil)
    }

    @Test(
        "secrets are masked wherever they stand",
        arguments: [
            ("DB_PASS", "hush", "..."), ("AWS_SECRET_ACCESS_KEY", "hush", "..."), ("OTP_SECRET", "", ""),
            ("DATABASE_URL", "postgres://u:hush@h:5/n?sslkey=hush", "postgres://u:...@h:5/n?..."),
            ("REDIS_URL", "redis://:hu/sh?@h/1", "redis://:...@h/1"), ("X_URL", "redis://hush@h", "redis://...@h"),
            ("S3_KEY_PREFIX", "media", "media"), ("DB_HOST", "h", "h"),
            ("S3_ENDPOINT", "https://s3.example", "https://s3.example"),
        ]
    )
    func masks(name: String, text: String, expected: String) {
        #expect(SettingMask.shown(name, text) == expected)
    }
}
