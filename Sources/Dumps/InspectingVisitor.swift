internal import Glibc
internal import MediaModel

/// Counts, and keeps what an inspection shows.
final class InspectingVisitor: DumpVisitor {
    /// What is looked at in the rows of a block.
    private enum Interest {
        case none, migrations, statuses
    }

    /// More tables, or migrations, than any database of Mastodon has: what comes after is counted with no name.
    private static let tablesMax = 100_000
    private static let migrationsMax = 20_000
    /// A migration's version is a time of 14 digits.
    private static let versionLengthMax = 32

    private var inspection: DumpInspection
    private var database: DatabaseInspection?
    private var table = TableName("")
    private var content = TableContent()
    private var interest = Interest.none
    private var newestStatus: UInt64 = 0
    /// Of a cluster: how databases that are still to come were made.
    private var definitions: [String: DatabaseDefinition] = [:]
    private static let definitionsMax = 10_000

    init(_ inspection: DumpInspection) {
        self.inspection = inspection
    }

    func result() -> DumpInspection {
        leaveDatabase()
        return inspection
    }

    /// The entries of an archive that its text does not show, because `pg_restore` was not asked for them.
    func note(_ toc: ArchiveToc) {
        database?.name = toc.database
        inspection.startedOn = inspection.startedOn ?? toc.createdAt.map(escaped)
        for refusal in toc.refusals { refused(refusal) }
        for entry in toc.entries {
            guard case .leftOut(let reason) = entry.verdict else { continue }
            let text = { BytePath.escaped(Array("\(entry.descriptor) \(entry.tag)".utf8.prefix(100))) }
            database?.vetting.add(reason, line: 0, text: text())
        }
    }

    /// How the database of an archive was made.
    func note(_ definition: DatabaseDefinition?) {
        database?.definition = definition
    }

    func enterDatabase(_ name: String?, line: Int) {
        leaveDatabase()
        var entered = DatabaseInspection(name: name, line: line)
        entered.definition = name.flatMap { definitions.removeValue(forKey: $0) }
        database = entered
    }

    func nameDatabase(_ name: String) {
        database?.name = name
    }

    func leaveDatabase() {
        guard var finished = database else { return }
        finished.newestStatusAt = Snowflake.seconds(newestStatus)
        newestStatus = 0
        inspection.databases.append(finished)
        database = nil
    }

    func comment(_ comment: HeaderComment) {
        switch comment {
        case .serverVersion(let text) where inspection.serverVersion == nil: inspection.serverVersion = escaped(text)
        case .programVersion(let text) where inspection.programVersion == nil: inspection.programVersion = escaped(text)
        case .startedOn(let text) where inspection.startedOn == nil: inspection.startedOn = escaped(text)
        default: break
        }
    }

    private func escaped(_ text: String) -> String { BytePath.escaped(Array(text.utf8)) }

    func encoding(_ name: String) {
        database?.encoding = name
    }

    func refused(_ refusal: Refusal) {
        if database == nil { inspection.outside.add(refusal) } else { database?.vetting.add(refusal) }
    }

    func statement(_ statement: DumpStatement) {
        switch statement.role {
        case .leftOut(let reason): leaveOut(statement, reason)
        case .structure: noteStructure(statement)
        case .insert(let table): noteInsert(statement, table)
        case .index(let table): noteIndex(statement, table)
        case .foreignKey: database?.foreignKeys += 1
        default: break
        }
    }

    private func noteIndex(_ statement: DumpStatement, _ table: TableName) {
        database?.indexes += 1
        guard let count = database?.indexTables.count, count < Self.tablesMax,
            let name = SQLStatement.createdIndex(statement.sql)
        else { return }
        database?.indexTables[TableName(schema: table.schema, name: name)] = table
    }

    private func leaveOut(_ statement: DumpStatement, _ reason: LeftOutReason) {
        if reason == .database, let definition = DatabaseDefinition(statement.sql) {
            if database != nil {
                database?.definition = definition
            } else if definitions.count < Self.definitionsMax {
                definitions[definition.name] = definition
            }
        }
        let text = { SQLStatement.excerpt(of: statement.sql) }
        if database == nil {
            inspection.outside.add(reason, line: statement.line, text: text())
        } else {
            database?.vetting.add(reason, line: statement.line, text: text())
        }
    }

    private func noteStructure(_ statement: DumpStatement) {
        guard let name = SQLStatement.createdTable(statement.sql) else { return }
        add(TableContent(), to: name)
    }

    private func add(_ content: TableContent, to name: TableName) {
        guard var database else { return }
        self.database = nil
        if database.tables[name] != nil || database.tables.count < Self.tablesMax {
            database.tables[name, default: TableContent()].rows += content.rows
            database.tables[name, default: TableContent()].bytes += content.bytes
        }
        self.database = database
    }

    private func noteInsert(_ statement: DumpStatement, _ table: TableName) {
        add(TableContent(rows: statement.rows, bytes: Int64(statement.sql.count)), to: table)
        guard table == TableName("schema_migrations"), let parsed = SQLStatement(statement.sql) else { return }
        for index in parsed.tokens.indices {
            if let version = parsed.string(at: index) { addMigration(version) }
        }
    }

    private func addMigration(_ version: String) {
        guard let count = database?.migrations.count, count < Self.migrationsMax,
            (1...Self.versionLengthMax).contains(version.utf8.count)
        else { return }
        database?.migrations.insert(version)
    }

    func copyBegins(_ header: CopyHeader) {
        table = header.table
        content = TableContent()
        interest = .none
        if header.columns == ["version"], table == TableName("schema_migrations") { interest = .migrations }
        if header.columns.first == "id", table == TableName("statuses") { interest = .statuses }
    }

    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) {
        content.rows += rows
        content.bytes += Int64(bytes.count)
        switch interest {
        case .none: break
        case .migrations: readMigrations(bytes)
        case .statuses: readStatuses(bytes)
        }
    }

    func copyEnds(rows: Int) {
        add(content, to: table)
    }

    private func readMigrations(_ bytes: UnsafeRawBufferPointer) {
        for line in bytes.split(separator: 0x0A) {
            let version = line.last == 0x0D ? line.dropLast() : line
            guard version.count <= Self.versionLengthMax else { continue }
            if let text = String(validating: version, as: UTF8.self) { addMigration(text) }
        }
    }

    /// The largest id of a block: nineteen digits at the beginning of each row.
    private func readStatuses(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var index = 0
        while index < bytes.count {
            var id: UInt64 = 0
            var place = index
            while place < bytes.count, place - index < 20, SQLByte.isDigit(bytes[place]) {
                id = id &* 10 &+ UInt64(bytes[place] &- 0x30)
                place += 1
            }
            if place - index < 20, id > newestStatus, Snowflake.seconds(id) != nil { newestStatus = id }
            guard let found = memchr(base + place, 0x0A, bytes.count - place) else { return }
            index = UnsafeRawPointer(found) - base + 1
        }
    }
}

/// Mastodon's ids that carry a time.
enum Snowflake {
    /// Seconds since 1970 of an id; nil where it has no time between 2016 and 2100: older rows have small ids.
    static func seconds(_ id: UInt64) -> Int64? {
        let seconds = Int64(id >> 16) / 1000
        return (1_451_606_400..<4_102_444_800).contains(seconds) ? seconds : nil
    }
}
