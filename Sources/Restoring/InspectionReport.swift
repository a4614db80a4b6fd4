internal import Archives
internal import Dumps
internal import MediaModel

/// What `-n` prints of a dump: everything that a person wants to know before it goes live.
enum InspectionReport {
    static func make(_ inspection: DumpInspection, _ file: DumpFile, installed: Set<String>?) -> Report {
        Report(name: "inspection", fields: fields(inspection, file), lines: lines(inspection, file, installed))
    }

    private static func fields(_ inspection: DumpInspection, _ file: DumpFile) -> [Report.Field] {
        [
            .init("dump", .text(file.path.description)),
            .init("kind", .text(inspection.kind.rawValue)),
            .init("compression", .text("\(inspection.compression)")),
            .init("bytes", .number(inspection.fileBytes)),
            .init("text_bytes", .number(inspection.textBytes)),
            .init("lines", .init(inspection.lines)),
            .init("server_version", .init(inspection.serverVersion)),
            .init("program_version", .init(inspection.programVersion)),
            .init("made_at", .init(inspection.madeAt.map { UTCTime(secondsSince1970: $0).iso8601 })),
            .init("made_at_source", .init(inspection.madeAtSource?.rawValue)),
            .init("databases", .list(inspection.databases.map { .object(fields($0)) })),
            .init("outside", .object(fields(inspection.outside))),
        ]
    }

    private static func fields(_ database: DatabaseInspection) -> [Report.Field] {
        let release = database.release
        let tables = database.tables.sorted { $0.key < $1.key }
        return [
            .init("name", .init(database.name)),
            .init("is_mastodon", .flag(database.isMastodon)),
            .init("encoding", .init(database.encoding)),
            .init("collation", .init(database.definition?.locale?.description)),
            .init("release", .init(release.release)),
            .init("release_relation", .text(release.relation.rawValue)),
            .init("newest_migration", .init(release.newestVersion)),
            .init("migrations", .init(database.migrations.count)),
            .init("rows", .init(database.rows)),
            .init("row_bytes", .number(database.bytes)),
            .init("indexes", .init(database.indexes)),
            .init("foreign_keys", .init(database.foreignKeys)),
            .init(
                "tables",
                .list(
                    tables.map { table, content in
                        .object([
                            .init("schema", .text(table.schema)), .init("name", .text(table.name)),
                            .init("rows", .init(content.rows)), .init("bytes", .number(content.bytes)),
                        ])
                    }
                )
            ),
            .init("vetting", .object(fields(database.vetting))),
        ]
    }

    private static func fields(_ vetting: VettingSummary) -> [Report.Field] {
        func counts(_ pairs: [(String, Int)]) -> Report.Value {
            .object(pairs.sorted { $0.0 < $1.0 }.map { .init($0.0, .init($0.1)) })
        }
        return [
            .init("left_out", counts(vetting.leftOut.map { ($0.key.rawValue, $0.value) })),
            .init("refused", counts(vetting.refused.map { ($0.key.rawValue, $0.value) })),
            .init(
                "refusals",
                .list(
                    vetting.refusals.map {
                        .object([
                            .init("line", .init($0.line)), .init("reason", .text($0.reason.rawValue)),
                            .init("text", .text($0.text)),
                        ])
                    }
                )
            ),
        ]
    }

    // MARK: For people

    private static func lines(_ inspection: DumpInspection, _ file: DumpFile, _ installed: Set<String>?) -> [String] {
        var lines = [
            "dump       \(file.path)",
            row("kind", kind(inspection)),
            row("size", size(inspection)),
        ]
        if let version = inspection.serverVersion { lines.append(row("server", "PostgreSQL \(version)")) }
        if let made = inspection.madeAt {
            let source = inspection.madeAtSource.map { " (\(age($0)))" } ?? ""
            lines.append(row("made", UTCTime(secondsSince1970: made).iso8601 + source))
        }
        for database in inspection.databases { lines += self.lines(database, installed) }
        if inspection.databases.isEmpty { lines.append(row("database", "none")) }
        lines += self.lines(inspection.outside, "outside")
        return lines
    }

    private static func kind(_ inspection: DumpInspection) -> String {
        let kind =
            switch inspection.kind {
            case .plain: "plain text of one database (pg_dump)"
            case .cluster: "plain text of a whole server (pg_dumpall)"
            case .custom: "archive (pg_dump -Fc)"
            case .tar: "archive (pg_dump -Ft)"
            case .directory: "archive (pg_dump -Fd)"
            }
        return inspection.compression == .none ? kind : "\(kind), \(inspection.compression)"
    }

    private static func size(_ inspection: DumpInspection) -> String {
        let size = ByteCount.describe(inspection.fileBytes)
        guard inspection.textBytes != inspection.fileBytes, inspection.textBytes > 0 else { return size }
        return "\(size), \(ByteCount.describe(inspection.textBytes)) of text"
    }

    private static func age(_ source: DumpInspection.TimeSource) -> String {
        switch source {
        case .header: "its header says"
        case .newestStatus: "the newest post"
        case .file: "the file's time"
        }
    }

    private static func lines(_ database: DatabaseInspection, _ installed: Set<String>?) -> [String] {
        let name = database.name.map(shown) ?? "without a name"
        var lines = [row("database", name + (database.isMastodon ? ", Mastodon's" : ", not Mastodon's"))]
        if database.isMastodon { lines.append(row("schema", schema(database))) }
        if let locale = database.definition?.locale { lines.append(row("collation", "\(locale)")) }
        lines.append(
            row(
                "content",
                "\(database.tables.count) tables, \(database.rows) rows, \(ByteCount.describe(database.bytes)), "
                    + "\(database.indexes) indexes, \(database.foreignKeys) foreign keys"
            )
        )
        let tables = database.tables.map { TableLines.Row(table: $0.key, rows: $0.value.rows, bytes: $0.value.bytes) }
        lines += TableLines(rows: tables, indent: "             ").lines
        if database.isMastodon, let installed {
            do throws(SyncError) {
                switch try RestoreGuards.compare(database.migrations, installed: installed) {
                case .same: lines.append(row("installed", "the same migrations"))
                case .needed(let count): lines.append(row("installed", "newer by \(count) migrations: run db:migrate"))
                case .unknown: break
                }
            } catch {
                lines.append(row("installed", "older: \(error.description)"))
            }
        }
        return lines + self.lines(database.vetting, "left out")
    }

    private static func schema(_ database: DatabaseInspection) -> String {
        let match = database.release
        let newest = match.newestVersion.map { ", newest migration \(shown($0))" } ?? ""
        let release = match.release.map(shown) ?? "?"
        switch match.relation {
        case .exact: return "Mastodon \(release)\(newest)"
        case .between: return "between Mastodon \(release) and \(match.next.map(shown) ?? "the next")\(newest)"
        case .fork:
            return "a fork of Mastodon \(release), \(match.unknownVersions.count) migrations of its own\(newest)"
        case .newer: return "newer than Mastodon \(release)\(newest)"
        case .unknown: return "not known\(newest)"
        }
    }

    private static func lines(_ vetting: VettingSummary, _ label: String) -> [String] {
        var lines = vetting.leftOut.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { row(label == "outside" ? "left out" : label, "\($0.value) \($0.key.text)") }
        for refusal in vetting.refusals {
            lines.append(row("REFUSED", "line \(refusal.line): \(refusal.reason.text): \(refusal.text)"))
        }
        return lines
    }

    private static func row(_ label: String, _ text: String) -> String {
        label + String(repeating: " ", count: max(1, 11 - label.utf8.count)) + text
    }
}
