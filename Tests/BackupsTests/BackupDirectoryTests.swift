import MediaModel
import MediasyncTesting
import Settings
import Testing

@testable import Backups

/// What a directory of an export holds, and what is wrong with it.
@Suite struct BackupDirectoryTests {
    let place: TemporaryDirectory
    let export: BytePath

    init() throws {
        place = try TemporaryDirectory()
        export = place.path / "20261124-120000"
        try Disk.makeDirectory(export)
    }

    @Test("the snap's export is taken as it is")
    func snap() throws {
        try Disk.write(export / "version", "4.6.1snap1\n")
        try Disk.write(export / "settings", "backup.days=7\nmedia.dir=/var/snap/mastodon-server/common/media\nempty=\n")
        try Disk.write(export / "mastodon.conf", "LOCAL_DOMAIN=example.social\nDB_PASS=secret\n")
        try Disk.write(export / "database.sql", "--\n")
        try Disk.write(export / "redis.rdb", "REDIS")
        try Disk.makeDirectory(export / "certs")
        try Disk.makeDirectory(export / "certs" / "live")
        try Disk.write(export / "certs" / "live" / "cert.pem", "x")
        try Disk.write(export / "certs" / "key.pem", "x")
        try Disk.write(export / "media.tar.gz", "x")
        let backup = try BackupDirectory.read(export)
        #expect(backup.version == "4.6.1snap1")
        #expect(
            backup.settings == ["backup.days": "7", "media.dir": "/var/snap/mastodon-server/common/media", "empty": ""]
        )
        #expect(backup.configuration?["LOCAL_DOMAIN"] == "example.social")
        #expect(backup.dump == export / "database.sql")
        #expect(backup.redis == export / "redis.rdb")
        #expect(backup.certificates == [BytePath("key.pem"), BytePath("live/cert.pem")])
        #expect(backup.media == export / "media.tar.gz")
        #expect(!backup.isOurs)
        #expect(backup.problems.isEmpty)
    }

    @Test("every part may be missing, but not all", arguments: ["mastodon.conf", "database.sql", "media.tar.zst"])
    func parts(name: String) throws {
        #expect(throws: SyncError.self) { try BackupDirectory.read(export) }
        #expect(throws: SyncError.self) { try BackupDirectory.read(export / "none") }
        try Disk.write(export / name, "x")
        let backup = try BackupDirectory.read(export)
        #expect([backup.dump, backup.media].compactMap { $0 }.count == (name == "mastodon.conf" ? 0 : 1))
        #expect(backup.version == nil && backup.settings.isEmpty && backup.certificates.isEmpty)
    }

    @Test("links, directories, fifos and what is too large are told by name, and the rest is used")
    func problems() throws {
        try Disk.write(export / "mastodon.conf", "A=1\n")
        try Disk.write(place.path / "outside", "x")
        try Disk.makeLink(export / "database.sql", to: place.path / "outside")
        try Disk.makeDirectory(export / "redis.rdb")
        try Disk.makeSpecial(export / "version", type: 0o010000)
        try Disk.write(export / "settings", [])
        try Disk.truncate(export / "settings", to: 2 << 20)
        try Disk.makeLink(export / "certs", to: place.path)
        try Disk.write(export / "media.tar", "x")
        try Disk.write(export / "media.tar.gz", "x")
        let backup = try BackupDirectory.read(export)
        #expect(backup.configuration?["A"] == "1")
        #expect(backup.dump == nil && backup.redis == nil && backup.media == nil && backup.version == nil)
        #expect(backup.problems.count == 6)
        for name in ["database.sql", "redis.rdb", "version", "settings", "certs", "media"] {
            #expect(backup.problems.contains { $0.description.contains(name) }, "\(name): \(backup.problems)")
        }
    }

    @Test("certificates are files: links and deep trees are refused")
    func certificates() throws {
        try Disk.write(export / "mastodon.conf", "A=1\n")
        try Disk.makeDirectory(export / "certs")
        try Disk.makeLink(export / "certs" / "key.pem", to: BytePath("/etc/passwd"))
        #expect(try BackupDirectory.read(export).problems.count == 1)
        try Disk.remove(export / "certs" / "key.pem")
        var path = export / "certs"
        for _ in 0..<6 {
            path = path / "d"
            try Disk.makeDirectory(path)
        }
        #expect(try BackupDirectory.read(export).problems.count == 1)
    }

    @Test("settings are key=value lines", arguments: [("a=b=c\n\nd=", ["a": "b=c", "d": ""]), ("", [:])])
    func settings(text: String, expected: [String: String]) throws {
        #expect(try BackupDirectory.settings(Array(text.utf8)) == expected)
        #expect(throws: SyncError.self) { try BackupDirectory.settings(Array("a=b\nnonsense\n".utf8)) }
        #expect(throws: SyncError.self) { try BackupDirectory.settings(Array("=b\n".utf8)) }
    }
}
