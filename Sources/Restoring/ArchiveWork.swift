internal import Dumps
internal import MediaModel

/// What there is to do of an archive, entry by entry, with what each costs: a table its rows, an index a part of its
/// table's rows. A value; what `pg_restore` says moves it on.
struct ArchiveWork: Sendable {
    private struct Entry: Sendable {
        var cost: Double
        var isData: Bool
        var isIndex: Bool
        var isDone = false
        /// `TABLE DATA public.statuses`: as the program names it; not escaped.
        var name: String
    }

    /// By the entries' numbers.
    private var entries: [Int: Entry] = [:]
    private var numbers: [String: Int] = [:]
    private var inHand: [Int] = []
    /// What is worked on by the program itself, one after the other.
    private var serial: Int?
    private var isParallel = false
    private var dataCost = 0.0
    private var dataDone = 0.0
    private var othersDone = 0.0
    /// The part of the archive's file that was read.
    private var shareRead = 0.0
    /// How far it is.
    private(set) var steps = LoadProgress.Steps()
    /// Indexes, and constraints that have one.
    private(set) var indexesDone = 0

    /// - Parameter inspection: tells how large the tables are, and whose the indexes.
    init(_ toc: ArchiveToc, _ inspection: DatabaseInspection) {
        let sizes = TableSizes(inspection.tables)
        for entry in toc.entries where entry.verdict == .use {
            // Behind the name stands the owner's.
            let tag = entry.tag.split(separator: " ", omittingEmptySubsequences: false).dropLast()
                .joined(separator: " ")
            let name = "\(entry.descriptor) \(entry.schema.map { "\($0)." } ?? "")\(tag)"
            let cost = Self.cost(of: entry, tag, sizes, inspection)
            let isData = entry.descriptor == "TABLE DATA"
            entries[entry.id] = Entry(cost: cost, isData: isData, isIndex: Self.isIndex(entry), name: name)
            numbers[name] = entry.id
            steps.total += 1
            steps.costTotal += cost
            if isData { dataCost += cost }
        }
    }

    private static func isIndex(_ entry: ArchiveToc.Entry) -> Bool {
        entry.descriptor == "INDEX" || entry.descriptor == "CONSTRAINT"
    }

    /// Building an index reads its table and sorts a little of each row; checking a foreign key reads two.
    private static func cost(
        of entry: ArchiveToc.Entry,
        _ tag: String,
        _ sizes: TableSizes,
        _ inspection: DatabaseInspection
    ) -> Double {
        let schema = entry.schema ?? "public"
        func table(_ name: String) -> Double { sizes.cost(of: TableName(schema: schema, name: name)) }
        let first = tag.split(separator: " ").first.map(String.init) ?? ""
        switch entry.descriptor {
        case "TABLE DATA": return table(tag)
        case "CONSTRAINT", "FK CONSTRAINT": return table(first) / 4
        case "INDEX":
            let owner = inspection.indexTables[TableName(schema: schema, name: tag)]
            return owner.map { sizes.cost(of: $0) / 4 } ?? 1000
        case "MATERIALIZED VIEW DATA": return sizes.total / 10
        default: return 1000
        }
    }

    // MARK: Moving on

    /// - Parameter share: the part of the archive's file that was read so far.
    mutating func read(_ share: Double) {
        shareRead = min(1, max(shareRead, share))
        count()
    }

    /// What the program said: hints, of which those that fit no entry change nothing.
    mutating func take(_ event: RestoreLog.Event) {
        switch event {
        case .launched(let id):
            isParallel = true
            begin(id)
        case .finished(let id): finish(id)
        case .processing(let id): beginSerial(id)
        case .working(let name):
            // Workers say it as well, of entries that were launched.
            if !isParallel, let id = numbers[name] { beginSerial(id) }
        case .loopBegins:
            endSerial()
            isParallel = true
        case .loopEnds: isParallel = false
        }
        count()
    }

    /// The program ended well.
    mutating func end() {
        for id in entries.keys { finish(id) }
        steps.current = nil
        count()
    }

    private mutating func beginSerial(_ id: Int) {
        guard serial != id else { return }
        endSerial()
        guard entries[id] != nil else { return }
        serial = id
        begin(id)
    }

    private mutating func endSerial() {
        if let id = serial { finish(id) }
        serial = nil
    }

    private mutating func begin(_ id: Int) {
        guard let entry = entries[id], !entry.isDone, !inHand.contains(id) else { return }
        inHand.append(id)
    }

    private mutating func finish(_ id: Int) {
        inHand.removeAll { $0 == id }
        guard let entry = entries[id], !entry.isDone else { return }
        entries[id]?.isDone = true
        steps.done += 1
        if entry.isData { dataDone += entry.cost } else { othersDone += entry.cost }
        if entry.isIndex { indexesDone += 1 }
    }

    /// What of the rows was read counts before a table is finished.
    private mutating func count() {
        steps.costDone = othersDone + max(dataDone, dataCost * shareRead)
        steps.current = inHand.max { (entries[$0]?.cost ?? 0) < (entries[$1]?.cost ?? 0) }
            .flatMap { entries[$0]?.name }
            .map { BytePath.escaped(Array($0.utf8.prefix(Self.shownMax))) }
    }

    private static let shownMax = 60
}
