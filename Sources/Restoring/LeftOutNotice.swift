internal import Dumps
internal import MediaModel

/// What a restore leaves out of a dump, told in one line before it begins.
enum LeftOutNotice {
    static func make(_ database: VettingSummary, outside: VettingSummary) -> Notice? {
        let counts = database.leftOut.merging(outside.leftOut, uniquingKeysWith: +)
        guard !counts.isEmpty else { return nil }
        let parts = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.text)" }
        return Notice(.notice, "left out of the dump: " + parts.joined(separator: ", "))
    }
}
