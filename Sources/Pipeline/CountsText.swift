internal import Foundation
internal import MediaModel

/// `Counts` as the run state keeps them: a JSON object of numbers, of which unknown ones are ignored and missing ones
/// are zero, so that older and newer programs read each other's.
enum CountsText {
    private static var fields: [(String, WritableKeyPath<Counts, Int>)] {
        [
            ("seen", \.seen), ("copied", \.copied), ("created", \.created), ("linked", \.linked),
            ("updated", \.updated),
            ("unchanged", \.unchanged), ("failed", \.failed), ("deleted", \.deleted), ("delete_failed", \.deleteFailed),
            ("source_changed", \.sourceChanged), ("different", \.different), ("files", \.files),
            ("directories", \.directories), ("others", \.others), ("fetched", \.fetched), ("gone", \.gone),
            ("superseded", \.superseded),
        ]
    }
    private static var byteFields: [(String, WritableKeyPath<Counts, Int64>)] {
        [
            ("bytes_written", \.bytesWritten), ("bytes_compared", \.bytesCompared), ("bytes_seen", \.bytesSeen),
            ("bytes_deleted", \.bytesDeleted), ("bytes_matched", \.bytesMatched),
            ("bytes_transferred", \.bytesTransferred),
        ]
    }

    static func encode(_ counts: Counts) -> String {
        var numbers: [String: Int64] = [:]
        for (name, path) in fields { numbers[name] = Int64(counts[keyPath: path]) }
        for (name, path) in byteFields { numbers[name] = counts[keyPath: path] }
        for (reason, count) in counts.skipped { numbers["skipped: \(reason.rawValue)"] = Int64(count) }
        return JSONText.encode(numbers)
    }

    static func decode(_ text: String) -> Counts {
        let numbers = (try? JSONDecoder().decode([String: Int64].self, from: Data(text.utf8))) ?? [:]
        var counts = Counts()
        for (name, path) in fields { counts[keyPath: path] = Int(numbers[name] ?? 0) }
        for (name, path) in byteFields { counts[keyPath: path] = numbers[name] ?? 0 }
        for reason in SkipReason.allCases {
            if let count = numbers["skipped: \(reason.rawValue)"] { counts.skipped[reason] = Int(count) }
        }
        return counts
    }
}

/// Values as JSON text with sorted keys.
enum JSONText {
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
