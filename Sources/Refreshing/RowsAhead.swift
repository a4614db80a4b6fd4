internal import Catalog
internal import Pacing

/// Rows of items whose turn comes soon, read together and before their host has room again: a host that answers is asked for
/// its next file at once. What is written later is guarded by what was read, so that a row may be some seconds old.
struct RowsAhead {
    /// Items of one host that are read ahead.
    static let perHost: UInt32 = 8
    /// With fewer than these the next ones are read.
    static let few: UInt32 = 3
    /// Rows that are older are read again.
    private static let ageNanoseconds: Int64 = 5_000_000_000
    /// A row has some hundred bytes.
    private static let countMax = 4096

    private struct Key: Hashable {
        let kind: MediaKind
        let id: Int64

        init(_ item: RefreshItem) { (kind, id) = (item.kind, item.id) }
    }

    private struct Entry {
        let row: RemoteMedia
        let readAt: Int64
    }

    private var rows: [Key: Entry] = [:]

    /// Whether an item's row need not have changed since it was planned: not one that a run has changed itself, or tries again.
    static func mayServe(_ item: RefreshItem) -> Bool { item.step == .file && item.tries == 0 }

    func has(_ item: RefreshItem, now: Int64) -> Bool {
        rows[Key(item)].map { now - $0.readAt < Self.ageNanoseconds / 2 } ?? false
    }

    /// Each row serves once.
    mutating func take(_ item: RefreshItem, now: Int64) -> RemoteMedia? {
        guard let entry = rows.removeValue(forKey: Key(item)) else { return nil }
        return Self.mayServe(item) && now - entry.readAt < Self.ageNanoseconds ? entry.row : nil
    }

    mutating func add(_ row: RemoteMedia, of item: RefreshItem, now: Int64) {
        if rows.count >= Self.countMax {
            rows = rows.filter { now - $0.value.readAt < Self.ageNanoseconds }
            if rows.count >= Self.countMax { rows = [:] }
        }
        rows[Key(item)] = Entry(row: row, readAt: now)
    }
}
