internal import Dumps
internal import MediaModel

/// What a dump says behind its rows, sorted by when it can run. Statements keep the dump's order within each kind.
struct PostData: Sendable {
    /// The most text that is kept: a Mastodon schema has a tenth of a mebibyte of it.
    static let bytesMax = 64 << 20

    /// An index, or the index of a primary key or unique constraint.
    struct Index: Sendable {
        var statement: DumpStatement
        var table: TableName
        /// The index alone, where a constraint was taken apart.
        var sql: [UInt8]
    }

    struct ForeignKey: Sendable {
        var statement: DumpStatement
        var table: TableName
        /// Nil where it could not be taken apart, or is not to be checked.
        var parts: ConstraintSQL.ForeignParts?
    }

    var indexes: [Index] = []
    /// What makes constraints of indexes, and constraints that could not be taken apart: short or rare.
    var constraints: [(statement: DumpStatement, sql: [UInt8])] = []
    /// Views that need a primary key, rules, clustering, comments.
    var late: [DumpStatement] = []
    var foreignKeys: [ForeignKey] = []
    var triggers: [DumpStatement] = []
    var refreshes: [DumpStatement] = []
    private var bytes = 0

    mutating func add(_ statement: DumpStatement) throws(SyncError) {
        bytes += statement.sql.count
        guard bytes <= Self.bytesMax else {
            throw SyncError(
                .refused,
                "line \(statement.line) of the dump is refused",
                why: "the statements behind the rows are longer than \(ByteCount.describe(Int64(Self.bytesMax)))"
            )
        }
        switch statement.role {
        case .primaryKey(let table):
            guard let parts = Self.text(statement).flatMap(ConstraintSQL.unique) else {
                constraints.append((statement, statement.sql))
                return
            }
            indexes.append(Index(statement: statement, table: table, sql: Array(parts.index.utf8)))
            constraints.append((statement, Array(parts.attach.utf8)))
        case .index(let table):
            indexes.append(Index(statement: statement, table: table, sql: statement.sql))
        case .foreignKey(let table, _):
            let parts = Self.text(statement).flatMap(ConstraintSQL.foreignKey)
            foreignKeys.append(ForeignKey(statement: statement, table: table, parts: parts))
        case .trigger: triggers.append(statement)
        case .refresh: refreshes.append(statement)
        default: late.append(statement)
        }
    }

    private static func text(_ statement: DumpStatement) -> String? {
        String(validating: statement.sql, as: UTF8.self)
    }
}
