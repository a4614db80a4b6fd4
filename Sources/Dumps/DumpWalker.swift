internal import MediaModel

/// Follows a dump from its header to its trailer: which database an element belongs to, whether it is whole, and what the
/// vetting says of each statement.
final class DumpWalker<Visitor: DumpVisitor>: ScanHandler {
    private enum Place {
        case outside, database
    }

    private let visitor: Visitor
    private let isCluster: Bool
    private var classifier = StatementClassifier()
    private var place: Place
    /// Databases of a cluster that were begun.
    private var seenDatabases: Set<String> = []
    private var currentDatabase: String?
    private var restrictKey: String?
    private var isComplete = false
    /// Rows of a COPY that was refused lead nowhere.
    private var dropsRows = false
    private var rows = 0

    /// - Parameter kind: `plain` or `cluster`.
    init(_ visitor: Visitor, kind: DumpKind) throws(SyncError) {
        self.visitor = visitor
        isCluster = kind == .cluster
        place = isCluster ? .outside : .database
        if !isCluster { try visitor.enterDatabase(nil, line: 1) }
    }

    /// The text has ended.
    func finish(line: Int) throws(SyncError) {
        if isComplete { return }
        let trailer = "PostgreSQL database \(isCluster ? "cluster " : "")dump complete"
        throw DumpError.broken("its last line is not there (-- \(trailer)): it was cut off", line: line)
    }

    private var scope: StatementClassifier.Scope {
        if !isCluster { return .single }
        return place == .outside ? .outside : .database(currentDatabase ?? "")
    }

    func comment(_ text: [UInt8], line: Int) throws(SyncError) {
        let comment = HeaderComment(line: text)
        switch comment {
        case .other: return
        case .dumpComplete where !isCluster, .clusterComplete where isCluster:
            if place == .database, isCluster {
                throw DumpError.broken("the dump of a database in it has no end", line: line)
            }
            isComplete = true
        case .dumpComplete:
            if place == .database { try visitor.leaveDatabase() }
            place = .outside
        default: break
        }
        try visitor.comment(comment)
    }

    func metaCommand(_ text: [UInt8], line: Int, isCut: Bool) throws(SyncError) {
        // Half a command says only that the dump was cut, which the missing trailer says as well; behind the trailer
        // nothing is lost.
        let lastCommand = Array("\\unrestrict \(restrictKey ?? "")".utf8)
        if isCut, !isComplete || lastCommand.starts(with: text) { return }
        switch MetaCommand(text) {
        case .restrict(let key) where restrictKey == nil: restrictKey = key
        case .unrestrict(let key) where restrictKey == key: restrictKey = nil
        case .connect(let name) where restrictKey == nil && mayConnect(to: name):
            try connect(to: name, line)
        default: try refuse(.metaCommand, SQLStatement.excerpt(of: text), line)
        }
    }

    /// A dump connects to the database it made, and again to where it is after it has changed its properties.
    private func mayConnect(to name: String) -> Bool {
        if !isCluster { return classifier.createdDatabase == name }
        if place == .database { return currentDatabase == name }
        return !seenDatabases.contains(name) && seenDatabases.count < 10_000
    }

    private func connect(to name: String, _ line: Int) throws(SyncError) {
        if !isCluster { return try visitor.nameDatabase(name) }
        if place == .database { return }
        seenDatabases.insert(name)
        currentDatabase = name
        place = .database
        try visitor.enterDatabase(name, line: line)
    }

    func strayCommand(line: Int) throws(SyncError) {
        try refuse(.metaCommand, "a backslash inside a statement", line)
    }

    func statement(_ text: [UInt8], line: Int) throws(SyncError) -> Bool {
        if isComplete { throw DumpError.broken("something follows the end of the dump", line: line) }
        switch classifier.verdict(text, line: line, scope: scope) {
        case .copy(let header):
            rows = 0
            dropsRows = false
            try visitor.copyBegins(header)
            return true
        case .role(let role, let rows):
            try visitor.statement(DumpStatement(sql: text, line: line, role: role, rows: rows))
            return false
        case .encoding(let name):
            if place == .database { try visitor.encoding(name) }
            try visitor.statement(
                DumpStatement(sql: text, line: line, role: place == .database ? .setting : .leftOut(.setting))
            )
            return false
        case .refused(let reason, let detail, let rowsFollow):
            let excerpt = SQLStatement.excerpt(of: text)
            try refuse(reason, detail.map { "\(BytePath.escaped(Array($0.utf8))) in: \(excerpt)" } ?? excerpt, line)
            dropsRows = true
            return rowsFollow
        }
    }

    private func refuse(_ reason: Refusal.Reason, _ text: String, _ line: Int) throws(SyncError) {
        try visitor.refused(Refusal(line: line, reason: reason, text: text))
    }

    func rows(_ bytes: UnsafeRawBufferPointer, count: Int, line: Int) throws(SyncError) {
        if dropsRows { return }
        rows += count
        try visitor.copyRows(bytes, rows: count, line: line)
    }

    func rowsEnd(line: Int) throws(SyncError) {
        if !dropsRows { try visitor.copyEnds(rows: rows) }
        dropsRows = false
    }
}
