import MediaModel
import MediasyncTesting

/// What a running Mastodon does to the rows and files of attachments meanwhile, in its own order, files of its own included: posts
/// are deleted and come back under the same number, addresses change, a viewer makes it fetch a file itself, old media are
/// removed, columns of no consequence are written.
final class MastodonStandIn {
    private let live: RefreshLive
    private let picture: [UInt8]
    private var random: SeededGenerator
    /// How often it did each.
    private(set) var deeds: [String: Int] = [:]

    init(_ live: RefreshLive, seed: UInt64) throws {
        self.live = live
        picture = try RefreshLive.picture.get()
        random = SeededGenerator(seed: seed)
    }

    /// Does one thing to one of the rows.
    func act(on ids: ClosedRange<Int>) throws {
        let id = Int.random(in: ids, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: try delete(id)
        case 1: try recreate(id)
        case 2: try note("moved", "UPDATE media_attachments SET remote_url = remote_url || '?again' WHERE id = \(id)")
        case 3: try serve(id)
        case 4: try removeCached(id)
        default:
            try note("edited", "UPDATE media_attachments SET description = 'x', updated_at = now() WHERE id = \(id)")
        }
    }

    private func count(_ what: String) { deeds[what, default: 0] += 1 }

    private func note(_ what: String, _ statement: String) throws {
        if try live.sql("\(statement) RETURNING id") != "" { count(what) }
    }

    /// The files that a row names go with it.
    private func delete(_ id: Int) throws {
        let name = try live.sql(
            "DELETE FROM media_attachments WHERE id = \(id) RETURNING coalesce(file_file_name, '-')"
        )
        guard !name.isEmpty else { return }
        count("deleted")
        if name != "-" { remove(id, name) }
    }

    private func recreate(_ id: Int) throws {
        try note(
            "recreated",
            """
            INSERT INTO media_attachments (id, account_id, remote_url, type, created_at, updated_at)
            VALUES (\(id), 1, '\(live.origin.url("/m\(id)"))', 0, now(), now()) ON CONFLICT DO NOTHING
            """
        )
    }

    /// A viewer asked for it: file first, then the row, where it names none yet.
    private func serve(_ id: Int) throws {
        let name = "5e54ed" + String(String(Int.random(in: 1_000_000_000...9_999_999_999)).prefix(10)) + ".jpg"
        for path in RefreshLive.paths(id, name) {
            try makeFolders(of: path)
            try Disk.write(live.root / path, picture)
        }
        let served = try live.sql(
            """
            UPDATE media_attachments SET file_file_name = '\(name)', file_content_type = 'image/jpeg',
                file_file_size = \(picture.count), file_updated_at = now(), file_storage_schema_version = 1
            WHERE id = \(id) AND file_file_name IS NULL RETURNING id
            """
        )
        if served.isEmpty { remove(id, name) } else { count("served") }
    }

    /// As `media remove`: what the row named until then.
    private func removeCached(_ id: Int) throws {
        let name = try live.sql(
            """
            UPDATE media_attachments m SET file_file_name = NULL, file_content_type = NULL, file_file_size = NULL,
                file_updated_at = NULL FROM (SELECT id, file_file_name FROM media_attachments WHERE id = \(id) FOR UPDATE) o
            WHERE m.id = o.id AND o.file_file_name IS NOT NULL RETURNING o.file_file_name
            """
        )
        guard !name.isEmpty else { return }
        count("removed")
        remove(id, name)
    }

    private func remove(_ id: Int, _ name: String) {
        for path in RefreshLive.paths(id, name) { try? Disk.remove(live.root / path) }
    }

    private func makeFolders(of path: String) throws {
        var folder = live.root
        for part in path.split(separator: "/").dropLast() {
            folder = folder / String(part)
            // Somebody else may make it at the same moment.
            do { try Disk.makeDirectory(folder) } catch { guard Disk.isDirectory(folder) else { throw error } }
        }
    }
}
