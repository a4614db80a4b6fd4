internal import MediaModel

/// One entry of a `--files-from` list, cleaned.
struct ListedPath {
    let components: [ArraySlice<UInt8>]
    /// The entry ended in `/` or `/.`, or was the root: what lies directly in it is listed too.
    let listsContents: Bool

    init(_ entry: ArraySlice<UInt8>) throws(SyncError) {
        let dot = ".".utf8
        var components = entry.split(separator: UInt8(ascii: "/"))
        if components.contains(where: { $0.elementsEqual("..".utf8) }) {
            throw Self.refused(entry, why: "it has a `..`", hint: "list paths below the source")
        }
        var listsContents = entry.last == UInt8(ascii: "/") || components.last?.elementsEqual(dot) ?? true
        while components.last?.elementsEqual(dot) == true { components.removeLast() }
        while components.first?.elementsEqual(dot) == true { components.removeFirst() }
        if components.contains(where: { $0.elementsEqual(dot) }) {
            throw Self.refused(
                entry,
                why: "it has a `/./` inside, which rsync takes for a new root",
                hint: "write the path without it"
            )
        }
        if components.isEmpty { listsContents = true }
        self.components = components
        self.listsContents = listsContents
    }

    private static func refused(_ entry: ArraySlice<UInt8>, why: String, hint: String) -> SyncError {
        SyncError(.usage, "the file list names \(BytePath.escaped(Array(entry)))", why: why, hint: hint)
    }
}
