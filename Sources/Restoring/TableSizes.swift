internal import Dumps
internal import MediaModel
internal import Synchronization

/// The tables of a dump with what was read and loaded, for the order of work and for the account.
struct TableSizes: Sendable {
    struct Entry: Sendable {
        var table: TableName
        var rowsRead = 0
        var rowsLoaded = 0
        var bytes = 0
    }

    /// In the order of the dump. A table whose rows come in several blocks is one entry.
    private(set) var entries: [Entry] = []
    private var positions: [TableName: Int] = [:]

    init(_ loads: [TableLoad]) {
        for load in loads {
            let position = positions[load.table] ?? entries.count
            if position == entries.count {
                entries.append(Entry(table: load.table))
                positions[load.table] = position
            }
            entries[position].rowsRead += load.rowsRead.load(ordering: .relaxed)
            entries[position].rowsLoaded += load.rowsLoaded.load(ordering: .relaxed)
            entries[position].bytes += load.bytesRead.load(ordering: .relaxed)
        }
    }

    /// What an archive was found to have: its rows are loaded by another program and counted afterwards.
    init(_ tables: [TableName: TableContent]) {
        for (table, content) in tables.sorted(by: { $0.key < $1.key }) {
            positions[table] = entries.count
            entries.append(
                Entry(table: table, rowsRead: content.rows, rowsLoaded: content.rows, bytes: Int(content.bytes))
            )
        }
    }

    subscript(_ table: TableName) -> Entry? { positions[table].map { entries[$0] } }

    /// What going through a table once costs, roughly: its bytes, and for each row what a row costs beside them.
    func cost(of table: TableName) -> Double {
        self[table].map { Double($0.bytes) + Double($0.rowsRead) * 100 + 1000 } ?? 1000
    }

    var total: Double { entries.reduce(0) { $0 + cost(of: $1.table) } }
}

extension TableSizes.Entry {
    /// What was read, what the server took and what is there must be one number.
    func mismatch(found: Int64?) -> SyncError? {
        guard let found, found == Int64(rowsRead), rowsLoaded == rowsRead else {
            return SyncError(
                .unexpected,
                "the table \(table) does not have the rows of the dump",
                why:
                    "\(rowsRead) in the dump, \(rowsLoaded) taken by the server, \(found.map(String.init) ?? "?") there",
                hint: "the stage is dropped and the old database is as it was; keep the dump and report this"
            )
        }
        return nil
    }
}
