internal import MediaModel

/// One line a change, in the columns of `rsync -i`: `>f+++++++++ path`, `.d..t...... path/`, `*deleting   path`.
///
/// What moves into the target is `>`, what is made there `c`, a hard link `h`, and `.` where only attributes changed.
enum ItemizedLine {
    /// The line without its end; nil for outcomes that rsync has no line for (skipped, failed).
    static func text(_ item: ItemEvent) -> String? {
        let name = item.path.bytes.isEmpty ? "./" : item.path.description + (item.kind == .directory ? "/" : "")
        let letter = kindLetter(item.kind)
        switch item.outcome {
        case .skipped, .failed, .different, .gone, .superseded: return nil
        case .deleted: return "*deleting   \(name)"
        case .unchanged: return ".\(letter)          \(name)"
        case .linked: return "h\(letter)\(columns(item)) \(name)"
        case .updated: return ".\(letter)\(columns(item)) \(name)"
        case .created: return "c\(letter)\(columns(item)) \(name)"
        case .copied, .fetched: return ">\(letter)\(columns(item)) \(name)"
        }
    }

    private static func kindLetter(_ kind: EntryKind) -> Character {
        switch kind {
        case .file: "f"
        case .directory: "d"
        case .symlink: "L"
        case .blockDevice, .characterDevice: "D"
        case .fifo, .socket: "S"
        }
    }

    /// The nine columns `cstpoguax`; rsync's `u` is not used.
    private static func columns(_ item: ItemEvent) -> String {
        let isOther = item.kind != .file && item.kind != .directory
        // Another text of a link is a changed content; a file in place of a directory is a new entry.
        if item.changes.contains(.new) || (item.changes.contains(.kind) && !isOther) { return "+++++++++" }
        let content: ChangeSet = [.content, .kind]
        let table: [(ChangeSet, Character)] = [
            (content, "c"), (.size, "s"), (.time, "t"), (.mode, "p"), (.owner, "o"), (.group, "g"), ([], "."),
            (.acl, "a"), (.xattr, "x"),
        ]
        return String(table.map { item.changes.isDisjoint(with: $0.0) ? "." : $0.1 })
    }
}
