internal import Catalog
internal import MediaModel
internal import Storage

/// What one file is against the row that says it is there.
enum StoreVerdict: Equatable {
    case good(Int64)
    case missing
    case empty
    /// The original has another size than the row says. Rows say nothing of the size of other variants.
    case otherSize(Int64)
    /// Its first bytes are of another type than the row says.
    case otherType(Int64)
    /// It is not all there, or damaged.
    case undecodable(Int64, why: String)
    /// A directory, a link, a device.
    case otherKind(EntryKind?)

    /// - Parameter byteCount: of the original, as the row has it.
    init(isOriginal: Bool, byteCount: Int64?, found entry: StoreEntry?) {
        guard let entry else {
            self = .missing
            return
        }
        guard entry.kind == .file else {
            self = .otherKind(entry.kind)
            return
        }
        // A row that says 0 is no reason to call an empty file good: no media file is empty.
        if entry.size == 0 {
            self = .empty
        } else if isOriginal, let size = byteCount, size != entry.size {
            self = .otherSize(entry.size)
        } else {
            self = .good(entry.size)
        }
    }

    var changes: ChangeSet {
        switch self {
        case .good: []
        case .missing: .new
        case .empty: .empty
        case .otherSize: .size
        case .otherType: .type
        case .undecodable: .undecodable
        case .otherKind: .kind
        }
    }

    /// The entry's kind in reports.
    var kind: EntryKind {
        if case .otherKind(let kind?) = self { kind } else { .file }
    }

    func count(in tally: inout MediaTally) {
        switch self {
        case .good(let size): tally.bytesOnDisk += size
        case .missing: tally.missing += 1
        case .empty: tally.empty += 1
        case .otherSize(let size), .otherType(let size), .undecodable(let size, _):
            tally.different += 1
            tally.bytesOnDisk += size
        case .otherKind: tally.different += 1
        }
    }

    /// The decoder's reason.
    var why: String? {
        if case .undecodable(_, let why) = self { why } else { nil }
    }
}
