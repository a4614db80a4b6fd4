import MediaModel
import MediasyncTesting
import Testing

@testable import Catalog

private let bigFolders = "109/876/543/210/987/654"

/// Paths as Mastodon makes them; the expectations are written from its rules, not from the code.
@Suite struct MediaPathTests {
    @Test(
        "an id becomes folders of three digits: nine digits for small ids, else twelve or as many as it has",
        arguments: [
            (1, "000/000/001"), (1234, "000/001/234"), (999_999_999, "999/999/999"),
            (1_000_000_000, "001/000/000/000"), (123_456_789_012, "123/456/789/012"),
            (109_876_543_210_987_654, "109/876/543/210/987/654"),
            (Int64.max / 10, "922/337/203/685/477/580"),
            // No row has such a number, or its last digits would be lost and two rows share a folder.
            (0, nil), (-99, nil), (1_234_567_890_123, nil), (12_345_678_901_234_567, nil), (Int64.max, nil),
        ] as [(Int64, String?)]
    )
    func partition(id: Int64, folders: String?) {
        #expect(IDPartition.folders(of: id) == folders)
        guard let folders else { return }
        #expect(IDPartition.id(of: BytePath(folders).components) == id)
    }

    @Test(
        "folders that no id has are none",
        arguments: ["000/000/000", "00/000/001", "000/001", "000/000/00a", "000/000/000/001", "+12/345/678"]
    )
    func strangeFolders(folders: String) {
        #expect(IDPartition.id(of: BytePath(folders).components) == nil)
    }

    @Test(
        "the files of a row: by kind, content type, storage version and origin",
        arguments: [
            Expectation(
                .attachment,
                109_876_543_210_987_654,
                "a1b2.jpg",
                "image/jpeg",
                remote: true,
                version: 1,
                [
                    "cache/media_attachments/files/\(bigFolders)/original/a1b2.jpg",
                    "cache/media_attachments/files/\(bigFolders)/small/a1b2.jpg",
                ]
            ),
            Expectation(
                .attachment,
                109_876_543_210_987_654,
                "a1b2.jpg",
                "image/jpeg",
                remote: false,
                version: 1,
                [
                    "media_attachments/files/\(bigFolders)/original/a1b2.jpg",
                    "media_attachments/files/\(bigFolders)/small/a1b2.jpg",
                ]
            ),
            // Old remote rows were never moved below cache/.
            Expectation(
                .attachment,
                1234,
                "x.gif",
                "image/gif",
                remote: true,
                version: 0,
                [
                    "media_attachments/files/000/001/234/original/x.gif",
                    "media_attachments/files/000/001/234/small/x.png",
                ]
            ),
            Expectation(
                .attachment,
                5,
                "v.mp4",
                "video/mp4",
                remote: true,
                version: 1,
                [
                    "cache/media_attachments/files/000/000/005/original/v.mp4",
                    "cache/media_attachments/files/000/000/005/small/v.png",
                ]
            ),
            Expectation(
                .attachment,
                5,
                "v.webm",
                "video/webm",
                remote: false,
                version: 1,
                [
                    "media_attachments/files/000/000/005/original/v.webm",
                    "media_attachments/files/000/000/005/small/v.png",
                ]
            ),
            Expectation(
                .attachment,
                5,
                "s.mp3",
                "audio/mpeg",
                remote: true,
                version: 1,
                [
                    "cache/media_attachments/files/000/000/005/original/s.mp3"
                ]
            ),
            Expectation(
                .attachment,
                5,
                "s.bin",
                nil,
                remote: true,
                version: 1,
                [
                    "cache/media_attachments/files/000/000/005/original/s.bin"
                ]
            ),
            Expectation(
                .attachment,
                5,
                "noextension",
                "image/png",
                remote: false,
                version: 1,
                [
                    "media_attachments/files/000/000/005/original/noextension",
                    "media_attachments/files/000/000/005/small/noextension",
                ]
            ),
            Expectation(
                .thumbnail,
                5,
                "t.png",
                "image/png",
                remote: true,
                version: 0,
                [
                    "media_attachments/thumbnails/000/000/005/original/t.png"
                ]
            ),
            Expectation(
                .thumbnail,
                5,
                "t.png",
                "image/png",
                remote: true,
                version: 1,
                [
                    "cache/media_attachments/thumbnails/000/000/005/original/t.png"
                ]
            ),
            Expectation(
                .avatar,
                7,
                "a.gif",
                "image/gif",
                remote: true,
                version: 1,
                [
                    "cache/accounts/avatars/000/000/007/original/a.gif",
                    "cache/accounts/avatars/000/000/007/static/a.png",
                ]
            ),
            Expectation(
                .avatar,
                7,
                "a.png",
                "image/png",
                remote: false,
                version: 1,
                [
                    "accounts/avatars/000/000/007/original/a.png"
                ]
            ),
            Expectation(
                .header,
                7,
                "h.jpeg",
                "image/jpeg",
                remote: true,
                version: 1,
                [
                    "cache/accounts/headers/000/000/007/original/h.jpeg"
                ]
            ),
            Expectation(
                .card,
                9,
                "c.webp",
                "image/webp",
                remote: true,
                version: 1,
                [
                    "cache/preview_cards/images/000/000/009/original/c.webp"
                ]
            ),
            Expectation(
                .emoji,
                11,
                "e.webp",
                "image/webp",
                remote: true,
                version: 1,
                [
                    "cache/custom_emojis/images/000/000/011/original/e.webp",
                    "cache/custom_emojis/images/000/000/011/static/e.png",
                ]
            ),
            Expectation(
                .emoji,
                11,
                "e.png",
                "image/png",
                remote: false,
                version: 1,
                [
                    "custom_emojis/images/000/000/011/original/e.png",
                    "custom_emojis/images/000/000/011/static/e.png",
                ]
            ),
            // Never below cache/, whatever a column might say.
            Expectation(
                .upload,
                3,
                "u.png",
                "image/png",
                remote: false,
                version: 1,
                [
                    "site_uploads/files/000/000/003/original/u.png"
                ]
            ),
            Expectation(
                .backup,
                4,
                "archive-20260101.zip",
                "application/zip",
                remote: false,
                version: 1,
                [
                    "backups/dumps/000/000/004/original/archive-20260101.zip"
                ]
            ),
        ]
    )
    func files(expectation: Expectation) throws {
        let media = expectation.media
        let paths = media.styles.map { media.path(of: $0)?.description }
        #expect(paths == expectation.paths)
        for (style, path) in zip(media.styles, expectation.paths) {
            let read = try #require(MediaPath(BytePath(path)))
            #expect(read.kind == media.kind)
            #expect(read.id == media.rowID)
            #expect(read.style == style.name)
            #expect(read.isCached == media.isCached)
            #expect(read.path == BytePath(path))
        }
    }

    @Test(
        "a name that is no plain name never becomes a path",
        arguments: ["", ".", "..", "../../../../etc/passwd", "a/b", "/etc/passwd", String(repeating: "x", count: 256)]
    )
    func hostileNames(name: String) {
        let media = StoredMedia(kind: .avatar, rowID: 1, isRemote: false, fileName: Array(name.utf8))
        #expect(media.path(of: .original) == nil)
    }

    @Test(
        "paths that are not Mastodon's are not read as such",
        arguments: [
            "", "media_attachments", "media_attachments/files/000/000/001/original",
            "media_attachments/avatars/000/000/001/original/a.png", "accounts/files/000/000/001/original/a.png",
            "imports/data/000/000/001/original/a.csv", "cache/site_uploads/files/000/000/001/original/a.png",
            "cache/cache/accounts/avatars/000/000/001/original/a.png",
            "accounts/avatars/000/000/000/001/original/a.png", "accounts//avatars/000/000/001/original/a.png",
            "accounts/avatars/0/000/001/original/a.png", "accounts/avatars/000/000/001/original/a.png/b",
        ]
    )
    func strangePaths(path: String) {
        #expect(MediaPath(BytePath(path)) == nil)
    }

    @Test(
        "a file is found in URLs, keys and paths of any root, with or without a query",
        arguments: [
            "https://files.example/cache/media_attachments/files/109/876/543/210/987/654/original/a1b2.jpg",
            "https://local.example/system/cache/media_attachments/files/109/876/543/210/987/654/original/a1b2.jpg?17#x",
            "/home/mastodon/live/public/system/cache/media_attachments/files/109/876/543/210/987/654/original/a1b2.jpg",
            "bucket/prefix/cache/media_attachments/files/109/876/543/210/987/654/original/a1b2.jpg",
            "cache/media_attachments/files/109/876/543/210/987/654/original/a1b2.jpg",
        ]
    )
    func addresses(address: String) throws {
        let path = try #require(MediaPath(address: BytePath(address)))
        #expect(path.isCached)
        #expect(path.kind == .attachment)
        #expect(path.id == 109_876_543_210_987_654)
        #expect(path.name == BytePath("a1b2.jpg"))
    }

    @Test(
        "small ids and local files have addresses, too; other addresses have none",
        arguments: [
            ("https://local.example/system/accounts/avatars/000/000/007/original/me.png", 7),
            ("accounts/avatars/000/000/007/original/me.png", 7), ("https://local.example/@admin", nil),
            ("https://local.example/media_proxy/109876543210987654/original", nil), ("", nil),
            ("accounts/avatars/000/000/007/original", nil),
        ] as [(String, Int64?)]
    )
    func otherAddresses(address: String, id: Int64?) {
        let path = MediaPath(address: BytePath(address))
        #expect(path?.id == id)
        #expect(path?.isCached != true)
    }

    @Test(
        "a file counts as a row's by its name: the stored one, or its base with the extension of a variant",
        arguments: [
            ("v.mp4", "video/mp4", "v.mp4", true), ("v.mp4", "video/mp4", "v.png", true),
            ("v.mp4", "video/mp4", "v.jpg", false), ("v.mp4", "video/mp4", "w.png", false),
            ("i.jpg", "image/jpeg", "i.jpg", true), ("i.jpg", "image/jpeg", "i.png", false),
            ("s.mp3", "audio/mpeg", "s.png", false),
        ]
    )
    func names(stored: String, type: String, other: String, expected: Bool) throws {
        let name = try #require(MediaFileName(Array(stored.utf8)))
        #expect(name.counts(Array(other.utf8), among: MediaStyle.all(of: .attachment, contentType: type)) == expected)
    }

    @Test(
        "a new file's extension: kept where it is one of its type's, else the type's first; jpe and jfif become jpeg",
        arguments: [
            ("image/jpeg", "jpg", "jpg"), ("image/jpeg", "jpe", "jpeg"), ("image/jpeg", "jfif", "jpeg"),
            ("image/jpeg", "png", "jpeg"), ("image/png", "", "png"), ("image/heif", "hif", "hif"),
            ("video/quicktime", "mp4", "qt"), ("audio/mpeg", "mp3", "mp3"), ("audio/mpeg", "wav", "mpga"),
            ("audio/x-m4a", "m4a", nil), ("audio/3gpp", "3gp", nil), ("text/html", "html", nil),
        ] as [(String, String, String?)]
    )
    func extensions(type: String, current: String, expected: String?) {
        #expect(FileExtension.chosen(for: type, current: current) == expected)
    }
}

/// A row's attachment and the paths of its files.
struct Expectation: Sendable, CustomTestStringConvertible {
    let media: StoredMedia
    let paths: [String]

    init(
        _ kind: MediaKind,
        _ id: Int64,
        _ name: String,
        _ type: String?,
        remote: Bool,
        version: Int64,
        _ paths: [String]
    ) {
        media = StoredMedia(
            kind: kind,
            rowID: id,
            isRemote: remote,
            fileName: Array(name.utf8),
            contentType: type,
            storageVersion: version
        )
        self.paths = paths
    }

    var testDescription: String { paths[0] }
}
