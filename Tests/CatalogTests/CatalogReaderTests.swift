import MediaModel
import MediasyncTesting
import Postgres
import Testing

@testable import Catalog

/// The reader against the real schema of several versions, in a real server.
@Suite(.enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct CatalogReaderTests {
    private static let releases = MastodonDatabase.releases
    private static let big = 117_662_810_112_000_001 as Int64

    /// Every file of `Fixture`'s rows, row by row, as Mastodon's rules have it. `-` where the row's name is no path.
    private static func expected(_ release: String) -> [String] {
        let thumbnail = release.hasPrefix("4.6") ? "cache/" : ""
        return [
            "1 false accounts/avatars/000/000/001/original/me.png 10",
            "2 true accounts/avatars/000/000/002/original/f.gif 20",
            "2 true accounts/avatars/000/000/002/static/f.png 20",
            "2 true cache/accounts/headers/000/000/002/original/h.jpg 30",
            "4 false backups/dumps/000/000/004/original/archive.zip 5000000000",
            "7 false custom_emojis/images/000/000/007/original/e.gif 60",
            "7 false custom_emojis/images/000/000/007/static/e.png 60",
            "8 true cache/custom_emojis/images/000/000/008/original/r.png 61",
            "8 true cache/custom_emojis/images/000/000/008/static/r.png 61",
            "1234 true media_attachments/files/000/001/234/original/x.gif 100",
            "1234 true media_attachments/files/000/001/234/small/x.png 100",
            "1235 false media_attachments/files/000/001/235/original/up.jpeg 101",
            "1235 false media_attachments/files/000/001/235/small/up.jpeg 101",
            "1236 false media_attachments/files/000/001/236/original/blankurl.jpeg nil",
            "1236 false media_attachments/files/000/001/236/small/blankurl.jpeg nil",
            "\(big) true cache/media_attachments/files/117/662/810/112/000/001/original/s.mp3 102",
            "\(big) true \(thumbnail)media_attachments/thumbnails/117/662/810/112/000/001/original/t.png 7",
            "117662810112000003 true - 103", "117662810112000003 true - 103",
            "5 true cache/preview_cards/images/000/000/005/original/c.webp 50",
            "3 false site_uploads/files/000/000/003/original/site.png 70",
        ]
    }

    private static func lines(_ rows: [CatalogRow]) -> [String] {
        rows.flatMap { row in
            row.media.flatMap { media in
                media.styles.map { style in
                    let size = media.byteCount.map { "\($0)" } ?? "nil"
                    return "\(row.id) \(row.isRemote) \(media.path(of: style)?.description ?? "-") \(size)"
                }
            }
        }
    }

    /// What is written of a page's attachment is what the attachment by itself says.
    private static func expectPaths(of page: MediaPage, _ index: Int, by writer: inout MediaPathWriter) {
        let media = page[index]
        writer.begin(page, index)
        #expect(writer.styles == media.styles)
        for (style, name) in media.styles.enumerated() {
            var written: [UInt8] = []
            let isWritten = writer.append(style, of: page, to: &written)
            #expect((isWritten ? BytePath(bytes: written) : nil) == media.path(of: name))
        }
    }

    /// All rows of a scope, read by small pages.
    private static func all(
        _ reader: CatalogReader,
        _ scope: CatalogReader.Scope = .init(),
        limit: Int = 2
    ) throws -> [CatalogRow] {
        try [CatalogTable.accounts, .backups, .customEmojis, .mediaAttachments, .previewCards, .siteUploads]
            .flatMap { table in
                // Page by page by the numbers, and one ahead: the same.
                let ahead = reader.pages(table, scope, limit: limit)
                var rows: [CatalogRow] = []
                var after: Int64?
                repeat {
                    let page = try reader.page(table, scope, after: after, limit: limit)
                    rows += page.rows
                    after = page.next
                } while after != nil
                var pages: [CatalogRow] = []
                while let page = try ahead.next() { pages += page }
                #expect(pages == rows)
                // Their media without the rows, and what is written of them.
                let mediaAhead = reader.mediaPages(table, scope, first: 1, limit: limit)
                var media: [StoredMedia] = []
                var writer = MediaPathWriter()
                while let page = try mediaAhead.next() {
                    // Whether it is taken early or late is the same.
                    if media.count % 2 == 0 { mediaAhead.takeAhead() }
                    media += (0..<page.count).map { page[$0] }
                    for index in 0..<page.count { Self.expectPaths(of: page, index, by: &writer) }
                }
                #expect(media == rows.flatMap(\.media))
                return rows
            }
    }

    @Test(
        "every row's files are found where Mastodon puts them, whatever the size of a page",
        arguments: CatalogReaderTests.releases
    )
    func everything(release: String) throws {
        let database = try Fixture.filled(release, name: "all_\(release)")
        let reader = try CatalogReader(Fixture.connect(database))
        #expect(reader.schema.hasThumbnailVersion == release.hasPrefix("4.6"))
        #expect(reader.schema.hasQuotes == (release >= "4.4"))
        for limit in [1, 2, 3, 1000] {
            let lines = Self.lines(try Self.all(reader, limit: limit))
            #expect(lines.sorted() == Self.expected(release).sorted(), "pages of \(limit)")
        }
        let ordered = try reader.page(.mediaAttachments).rows.map(\.id)
        #expect(ordered == [1234, 1235, 1236, Self.big, 117_662_810_112_000_003])
    }

    @Test("scopes: local or remote, some kinds, recent ones", arguments: ["4.3", "4.6"])
    func scopes(release: String) throws {
        let database = try Fixture.filled(release, name: "scopes_\(release)")
        let reader = try CatalogReader(Fixture.connect(database))
        let every = Self.expected(release)
        let local = Self.lines(try Self.all(reader, .init(remote: false)))
        #expect(local.sorted() == every.filter { $0.contains(" false ") }.sorted())
        let remote = Self.lines(try Self.all(reader, .init(remote: true)))
        #expect(remote.sorted() == every.filter { $0.contains(" true ") }.sorted())
        let headers = Self.lines(try Self.all(reader, .init(kinds: [.header])))
        #expect(headers == ["2 true cache/accounts/headers/000/000/002/original/h.jpg 30"])
        // Two days before 2026-11-23T00:00:00Z: attachments by number, the others by the time their file was stored.
        let now = 1_795_392_000_000_000 as Int64
        let since = try #require(AgeLimit(days: 2, before: now))
        let recent = try Self.all(reader, .init(kinds: [.attachment, .avatar, .header, .card, .emoji], since: since))
        #expect(
            recent.map { "\($0.table.rawValue) \($0.id)" } == [
                "accounts 2", "media_attachments \(Self.big)", "media_attachments 117662810112000003",
                "preview_cards 5",
            ]
        )
    }

    @Test("rows are looked up by number in one batch; those that are gone are not there")
    func lookUp() throws {
        let database = try Fixture.filled("4.3", name: "lookup")
        let reader = try CatalogReader(Fixture.connect(database))
        let found = try reader.rows(.mediaAttachments, ids: [1234, 99, Self.big, 117_662_810_112_000_002])
        #expect(Set(found.keys) == [1234, Self.big, 117_662_810_112_000_002])
        #expect(found[1234]?.media.first?.fileName == Array("x.gif".utf8))
        #expect(found[117_662_810_112_000_002]?.media.isEmpty == true)
        #expect(try reader.rows(.accounts, ids: []).isEmpty)
    }

    @Test("rows sum up by kind and place", arguments: ["4.2", "4.6"])
    func usage(release: String) throws {
        let database = try Fixture.filled(release, name: "usage_\(release)")
        let usage = try CatalogReader(Fixture.connect(database)).usage()
        let lines = usage.map { "\($0.kind.rawValue) \($0.isCached) \($0.rows) \($0.bytes)" }
        #expect(
            lines.sorted() == [
                // Those with a name of blanks have a size, too: the sums take what the columns say.
                "attachment false 3 201", "attachment true 2 205", "avatar false 2 30", "avatar true 1 5",
                "backup false 1 5000000000", "card true 1 50", "emoji false 1 60", "emoji true 1 61",
                "header true 1 30", "thumbnail \(release == "4.6") 1 7", "upload false 1 70",
            ]
        )
    }

    @Test("a file's owner is told with account, post and public addresses")
    func owners() throws {
        let database = try Fixture.filled("4.6", name: "owners")
        try Fixture.cluster().sql(
            """
            UPDATE accounts SET url = 'https://far.example/@old' WHERE id = 2;
            INSERT INTO statuses (id, account_id, uri, url, local, text, created_at, updated_at) VALUES
                (50, 2, 'https://far.example/s/50', 'https://far.example/@old/50', false, '', now(), now()),
                (51, 1, NULL, NULL, NULL, '', now(), now());
            UPDATE media_attachments SET status_id = 50 WHERE id = 1234;
            UPDATE media_attachments SET status_id = 51 WHERE id = 1235;
            """,
            database: database.name
        )
        let reader = try CatalogReader(Fixture.connect(database))
        func owner(_ kind: MediaKind, _ id: Int64) throws -> MediaOwner? {
            try reader.owner(of: kind, id: id, webDomain: "local.example")
        }
        let remote = try #require(try owner(.attachment, 1234))
        #expect(remote.account == "old@far.example")
        #expect(remote.accountURL == "https://far.example/@old")
        #expect(remote.statusID == 50)
        #expect(remote.statusURL == "https://far.example/@old/50")
        let local = try #require(try owner(.thumbnail, 1235))
        #expect(local.account == "admin")
        #expect(local.accountURL == "https://local.example/@admin")
        #expect(local.statusURL == "https://local.example/@admin/51")
        #expect(try owner(.attachment, 1236)?.account == nil)
        #expect(try owner(.header, 2)?.account == "old@far.example")
        #expect(try owner(.card, 5)?.name == "https://p.example/1")
        #expect(try owner(.emoji, 8)?.name == "blob")
        #expect(try owner(.upload, 3)?.name == "thumbnail")
        #expect(try owner(.backup, 4)?.account == "admin")
        #expect(try owner(.avatar, 999) == nil)
    }

    @Test("the blocks of domains decide by their flag")
    func domainRules() throws {
        let database = try Fixture.filled("4.3", name: "blocks")
        let rules = try CatalogReader(Fixture.connect(database)).domainRules()
        #expect(rules.rejectsMedia(of: "x.bad.example"))
        #expect(!rules.rejectsMedia(of: "ok.bad.example"))
        #expect(rules.rule(for: "bad.example")?.isSuspended == true)
        #expect(rules.rule(for: "ok.bad.example")?.isSuspended == false)
    }

    @Test("a database that is not Mastodon's is refused by name, and so is one that lacks a column")
    func otherDatabases() throws {
        let cluster = try Fixture.cluster()
        let empty = try MastodonDatabase(cluster, name: "empty", release: nil)
        let other = #expect(throws: SyncError.self) { try CatalogReader(Fixture.connect(empty)) }
        #expect(other?.code.exitStatus == .schemaUnknown)
        let changed = try MastodonDatabase(cluster, name: "changed", release: "4.6")
        try cluster.sql("ALTER TABLE accounts RENAME avatar_file_name TO avatar_key", database: "changed")
        let renamed = #expect(throws: SyncError.self) { try CatalogReader(Fixture.connect(changed)) }
        #expect(renamed?.why == "missing: column accounts.avatar_file_name")
        // A table of the same name elsewhere is none of Mastodon's.
        try cluster.sql("CREATE SCHEMA other; CREATE TABLE other.accounts (id bigint)", database: "empty")
        #expect(throws: SyncError.self) { try CatalogReader(Fixture.connect(empty)) }
    }

    @Test("the statements leave nothing behind in the session: no transaction, no setting, no statement with a name")
    func noSessionState() throws {
        let database = try Fixture.filled("4.6", name: "sessionless")
        let connection = try Fixture.connect(database)
        let before = try connection.query("SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1")
        let reader = try CatalogReader(connection)
        _ = try Self.all(reader)
        _ = try reader.rows(.accounts, ids: [1])
        _ = try reader.domainRules()
        #expect(try reader.now() > 1_700_000_000_000_000)
        #expect(try connection.query("SELECT count(*) FROM pg_prepared_statements").only?.integer == 0)
        #expect(try connection.query("SELECT count(*) FROM pg_cursors WHERE name <> ''").only?.integer == 0)
        let after = try connection.query("SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1")
        #expect(after.count == before.count)
        let state = try Fixture.connect(database).query(
            "SELECT state FROM pg_stat_activity WHERE pid = $1",
            [.integer(Int64(connection.processID))]
        )
        #expect(state.only?.text == "idle")
    }

    @Test("a server that goes away is an error of the database, with what could not be read")
    func lostServer() throws {
        let database = try Fixture.filled("4.3", name: "lost")
        let connection = try Fixture.connect(database)
        let reader = try CatalogReader(connection)
        try Fixture.cluster().sql("SELECT pg_terminate_backend(\(connection.processID))")
        let error = #expect(throws: SyncError.self) { try reader.page(.accounts) }
        #expect(error?.code.exitStatus == .databaseUnreachable)
        #expect(error?.what == "cannot read accounts")
    }

    @Test(
        "whole numbers are read from digits",
        arguments: [
            ("0", 0), ("-99", -99), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("9223372036854775808", nil), ("1.5", nil), ("12a", nil), ("", nil),
        ] as [(String, Int64?)]
    )
    func numbers(text: String, expected: Int64?) throws {
        let connection = try Fixture.connect(MastodonDatabase.shared())
        #expect(try connection.query("SELECT $1::text", [.text(text)]).only?.integer == expected)
    }
}

extension MastodonDatabase {
    private static let empty = Result { try MastodonDatabase(Fixture.cluster(), name: "numbers", release: nil) }
    fileprivate static func shared() throws -> MastodonDatabase { try empty.get() }
}
