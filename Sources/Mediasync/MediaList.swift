import Catalog
import Foundation
import MediaModel
import Storage

/// Media by name: the JSON lines of `verify --store` or of a refresh, or lines like `avatar 110`.
struct MediaList {
    private(set) var rows: [MediaKind: [Int64]] = [:]
    /// Those of them whose files are there, but damaged or something else.
    private(set) var damaged: Set<MediaReference> = []
    /// Local media of the list: nobody has them but this server.
    private(set) var locals = 0

    /// A list of ten million lines is some hundred megabytes.
    private static let bytesMax = 1 << 30

    /// What a look at names and sizes does not find.
    private static let damages: Set<String> = ["type", "undecodable"]

    private struct Line: Decodable {
        var record: String?
        var id: String?
        var local: Bool?
        /// Text of an item; other lines have other things by this name.
        var outcome: String?
        var changes: [String]?

        private enum Keys: String, CodingKey { case record, id, local, outcome, changes }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Keys.self)
            record = try? fields.decode(String.self, forKey: .record)
            id = try? fields.decode(String.self, forKey: .id)
            local = try? fields.decode(Bool.self, forKey: .local)
            outcome = try? fields.decode(String.self, forKey: .outcome)
            changes = try? fields.decode([String].self, forKey: .changes)
        }
    }

    init(_ path: BytePath) throws(SyncError) {
        let bytes = try UserFile.read(path, limit: Self.bytesMax)
        let decoder = JSONDecoder()
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            if first == UInt8(ascii: "{") {
                guard let object = try? decoder.decode(Line.self, from: Data(line)) else {
                    throw Self.wrong(path, number, "it is no JSON object")
                }
                // Other lines of the same output: start, stage, summary.
                guard let record = object.record, let id = object.id.flatMap({ Int64($0) }) else { continue }
                if object.outcome == "unchanged" || object.outcome == "fetched" { continue }
                if object.local == true {
                    locals += 1
                } else {
                    try add(record, id, path, number)
                    if !Self.damages.isDisjoint(with: object.changes ?? []) {
                        damaged.insert(MediaReference(kind: record, id: id))
                    }
                }
            } else {
                let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
                guard words.count == 2, let id = Int64(words[1]) else {
                    throw Self.wrong(path, number, "it is neither JSON nor a kind and a number")
                }
                try add(String(words[0]), id, path, number)
            }
        }
    }

    private mutating func add(_ kind: String, _ id: Int64, _ path: BytePath, _ number: Int) throws(SyncError) {
        guard let kind = MediaKind(rawValue: kind) else {
            throw Self.wrong(path, number, "\(BytePath(kind)) is no kind of media")
        }
        rows[kind, default: []].append(id)
    }

    private static func wrong(_ path: BytePath, _ number: Int, _ why: String) -> SyncError {
        SyncError(
            .usage,
            "line \(number) of \(path) names no media",
            why: why,
            hint: "take the list from mediasync verify --store --json, or write lines like: avatar 110"
        )
    }
}
