package import MediaModel

/// The list of `--files-from`: which entries of a tree are named, which lie on the way to them, which are neither.
///
/// Follows rsync: a listed directory is copied without its contents (no recursion), but `dir/` and `dir/.` also list
/// what lies directly in it; ancestors of a listed path are made without being asked for, and filter rules speak about
/// listed paths, not about ancestors. Differs from rsync in one point: `..`, and `/./` inside a path (which moves the
/// root there), are refused instead of being resolved.
///
/// Memory: the bytes of each listed path once, and for each listed path and each ancestor 13 bytes, one bit, and up to two
/// and a half slots of 8 bytes. A million paths of a Mastodon tree, with two million directories, take about 150 MB.
package struct FileList: Sendable {
    /// What the list says about an entry.
    package enum Role: Sendable, Equatable {
        /// Named, or directly in a directory named with a trailing slash.
        case listed
        /// A directory on the way to something named.
        case ancestor
        case outside
    }

    private let table: PathTable
    private let marks: PathMarks

    /// Reads the list.
    /// - Parameters:
    ///   - isNullSeparated: entries end with NUL (`--from0`) instead of a line's end.
    ///   - pathsMax: more paths, ancestors among them, are refused: of a list that another machine sent.
    package init(_ contents: [UInt8], isNullSeparated: Bool = false, pathsMax: Int = .max) throws(SyncError) {
        var table = PathTable(expectedBytes: contents.count)
        for entry in ListFile(contents, separator: isNullSeparated ? .null : .line) {
            let path = try ListedPath(entry)
            table.insert(path.components, listing: path.listsContents ? .contents : .entry)
            if table.count > pathsMax {
                throw SyncError(
                    .usage,
                    "the file list has too many paths",
                    why: "more than \(pathsMax), with those above them"
                )
            }
        }
        self.table = table
        marks = PathMarks(count: table.count)
    }

    /// The list once more, its entries separated by NUL.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in 0..<table.count where table.state(entry).contains(.listed) {
            // A name may begin as a comment does.
            bytes.append(contentsOf: "./".utf8)
            bytes.append(contentsOf: table.path(entry))
            if table.state(entry).contains(.contents), bytes.last != UInt8(ascii: "/") {
                bytes.append(UInt8(ascii: "/"))
            }
            bytes.append(0)
        }
        return bytes
    }

    /// Paths named, each once, without the root.
    package var listedCount: Int { table.listedCount }

    /// What the list says about an entry that the walk has met.
    /// - Parameter path: relative to the tree's root, without a slash at either end; empty for the root.
    package func role(of path: UnsafeBufferPointer<UInt8>) -> Role {
        let entry = table.find(path)
        if let entry, table.state(entry).contains(.listed) { return .listed }
        if let parent = table.find(path.parent), !path.isEmpty, table.state(parent).contains(.contents) {
            return .listed
        }
        return entry == nil ? .outside : .ancestor
    }

    /// Whether a walk has to look into this directory: something in it or below it is named.
    package func needsDescent(into path: UnsafeBufferPointer<UInt8>) -> Bool {
        table.find(path).map { !table.state($0).isDisjoint(with: [.contents, .ancestor]) } ?? false
    }

    /// Notes that a listed path exists. Any thread; one `Mutex` is held while one bit is set.
    package func markMet(_ path: UnsafeBufferPointer<UInt8>) {
        if let entry = table.find(path) { marks.set(entry) }
    }

    /// The listed paths that were never marked, in the order of the list, at most `limit`.
    package func unmet(limit: Int = .max) -> [BytePath] {
        var result: [BytePath] = []
        for entry in 0..<table.count where result.count < limit {
            if table.state(entry).contains(.listed), !marks.isSet(entry), !table.path(entry).isEmpty {
                result.append(BytePath(bytes: table.path(entry)))
            }
        }
        return result
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The path without its last component.
    var parent: UnsafeBufferPointer<UInt8> {
        let slash = lastIndex(of: UInt8(ascii: "/")) ?? 0
        return UnsafeBufferPointer(rebasing: self[..<slash])
    }
}
