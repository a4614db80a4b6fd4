import Catalog
import Glibc
import Postgres

/// Reads every attachment of a database once, as `cleanup` reads them, and says how many rows that were
/// and how long it took: `120000 0.412`. libpq's variables say where the database is.
@main
enum CatalogScan {
    static func main() throws {
        let reader = try CatalogReader(Connection(ConnectionSettings(), application: "catalog scan"))
        let begin = now()
        var (rows, files) = (0, 0)
        let pages = reader.pages(.mediaAttachments)
        while let page = try pages.next() {
            rows += page.count
            // Paths are what the rows are read for.
            for media in page.lazy.flatMap(\.media) {
                files += media.styles.filter { media.path(of: $0) != nil }.count
            }
        }
        print(rows, now() - begin, files)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
