/// Writes the paths of a page's media one after the other: the same as those of `StoredMedia`, but what neighbours and the
/// variants of one attachment have in common is worked out once. Each thread has its own.
package struct MediaPathWriter {
    /// What the paths of attachments of one kind and type have in common.
    private struct Form {
        let kind: MediaKind
        let isCached: Bool
        let type: String?
        /// All the following, one behind the other.
        let text: [UInt8]
        /// Where there is what stands before the id's folders, with a slash at the end.
        let head: Range<Int>
        /// Behind them: `/original/`, one for each variant.
        let folders: [Range<Int>]
        /// With the dot; empty where a variant's file has the row's own extension.
        let extensions: [Range<Int>]
        let hasExtensions: Bool

        init(of kind: MediaKind, isCached: Bool, type: String?) {
            self.kind = kind
            self.isCached = isCached
            self.type = type
            var text = MediaPath.head(of: kind, isCached: isCached)
            head = 0..<text.count
            let add = { (part: String?) -> Range<Int> in
                let start = text.count
                text += (part ?? "").utf8
                return start..<text.count
            }
            let styles = MediaStyle.all(of: kind, contentType: type)
            folders = styles.map { add("/\($0.name)/") }
            extensions = styles.map { add($0.format.map { ".\($0)" }) }
            hasExtensions = styles.contains { $0.format != nil }
            self.text = text
        }
    }

    private var form = Form(of: .attachment, isCached: false, type: nil)
    /// The variants of the attachment at hand, the original first.
    package private(set) var styles = MediaStyle.all(of: .attachment, contentType: nil)

    /// The folders of the attachment at hand, without those of its variants.
    private var folder: [UInt8] = []
    private var name: Range<Int> = 0..<0
    /// The name without its extension.
    private var base: Range<Int> = 0..<0
    private var isWritable = false

    package init() {}

    /// Goes to an attachment of a page, which is told again with every path.
    package mutating func begin(_ page: MediaPage, _ index: Int) {
        let entry = page.entries[index]
        take(entry.kind, entry.isCached, page.types[entry.type])
        name = entry.nameStart..<(entry.nameStart + entry.nameCount)
        base = name
        folder.removeAll(keepingCapacity: true)
        isWritable = MediaFileName.isName(page.names[name])
        guard isWritable else { return }
        Self.append(form.text, form.head, to: &folder)
        isWritable = IDPartition.append(entry.rowID, to: &folder)
        if form.hasExtensions { base = name.lowerBound..<MediaFileName.endOfBase(page.names[name]) }
    }

    private mutating func take(_ kind: MediaKind, _ isCached: Bool, _ type: String?) {
        if form.kind == kind, form.isCached == isCached, form.type == type { return }
        form = Form(of: kind, isCached: isCached, type: type)
        styles = MediaStyle.all(of: kind, contentType: type)
    }

    /// Puts the path of a variant behind what is there; false where the row's id or name can be no part of a path.
    /// - Parameter style: an index of `styles`.
    package mutating func append(_ style: Int, of page: MediaPage, to bytes: inout [UInt8]) -> Bool {
        guard isWritable else { return false }
        let end = form.extensions[style]
        Self.append(folder, 0..<folder.count, to: &bytes)
        Self.append(form.text, form.folders[style], to: &bytes)
        Self.append(page.names, end.isEmpty ? name : base, to: &bytes)
        Self.append(form.text, end, to: &bytes)
        return true
    }

    private static func append(_ text: borrowing [UInt8], _ range: Range<Int>, to bytes: inout [UInt8]) {
        text.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }
}
