import Catalog
import Glibc
import Postgres

/// Makes every attachment of other servers in a database name a new file, as the commit stage of a refresh does, and says how
/// many rows were changed and how long that took: `100000 4.812`. libpq's variables say where the database is.
///
/// RowLoad ROWS: so many rows in a transaction.
@main
enum RowLoad {
    static func main() throws {
        let batch = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 0
        guard batch > 0 else {
            print("usage: RowLoad ROWS")
            exit(64)
        }
        let reader = try CatalogReader(Connection(ConnectionSettings(), application: "row load"))
        let replacements = try read(reader).map(replacement)
        let begin = now()
        var changed = 0
        for start in stride(from: 0, to: replacements.count, by: batch) {
            let part = Array(replacements[start..<min(start + batch, replacements.count)])
            changed += try reader.replace(.attachment, with: part).count
        }
        print(changed, now() - begin)
    }

    /// All rows, with what guards them.
    private static func read(_ reader: CatalogReader) throws -> [RemoteMedia] {
        let scope = RemoteScope(kinds: [.attachment])
        var found: [RemoteMedia] = []
        var after: Int64?
        repeat {
            let page = try reader.remotePage(.mediaAttachments, scope, after: after)
            let rows = try reader.remoteRows(.mediaAttachments, ids: page.rows.map(\.id))
            found += page.rows.compactMap { rows[$0.id]?.media.first }
            after = page.next
        } while after != nil
        return found
    }

    private static func replacement(_ row: RemoteMedia) -> FileReplacement {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let name = String(repeating: "0", count: 16 - digits.count) + digits + ".jpeg"
        var new = FileReplacement(
            row: row,
            file: .init(name: name, contentType: "image/jpeg", byteCount: .random(in: 100_000..<500_000))
        )
        new.description = .init(
            type: 0,
            meta: """
                {"original":{"width":1440,"height":1080,"size":"1440x1080","aspect":1.3333333333333333},\
                "small":{"width":554,"height":416,"size":"554x416","aspect":1.3317307692307692}}
                """,
            blurhash: "UGF5?xYk^6#M@-5c,1J5@[or[Q6.LEHV6nWB"
        )
        return new
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
