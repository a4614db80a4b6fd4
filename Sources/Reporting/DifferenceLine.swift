internal import MediaModel

/// One line an entry that `verify` found unequal: what differs, then the path.
enum DifferenceLine {
    /// `missing          a/b`, `content,time     c`; a directory's path ends in a slash.
    static func text(_ item: ItemEvent) -> String {
        // `verify` compares: what copy would call new is missing.
        let what = item.changes.names.map { $0 == "new" ? "missing" : $0 }.joined(separator: ",")
        let padding = String(repeating: " ", count: max(1, 16 - what.count))
        return "\(what)\(padding)\(item.path)\(item.kind == .directory ? "/" : "")\n"
    }
}
