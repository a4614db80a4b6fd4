package import MediaModel

/// Everything a tree is, as a value: taken before and after, or of two trees, and compared.
package struct TreeSnapshot: Sendable {
    /// One entry. `inode`, `changed` and `blocks` say whether it was touched, not whether it is equal.
    package struct Entry: Sendable {
        package var kind: EntryKind
        package var mode: UInt32
        package var owner: UInt32
        package var group: UInt32
        package var seconds: Int
        package var nanoseconds: Int
        /// Bytes of a file; 0 for the rest.
        package var size: Int
        /// Of the content, comparable within this process only.
        package var contentHash = 0
        package var linkText: [UInt8] = []
        package var attributes: [String: [UInt8]] = [:]
        package var deviceNumber: UInt64 = 0
        /// The first path of the same inode in the tree, where the inode has several there.
        package var linkedWith: BytePath?
        package var inode: UInt64
        package var changedSeconds: Int
        package var changedNanoseconds: Int
        package var blocks: Int
    }

    /// What a comparison looks at, beside kind, size, content, link text and device number.
    package struct Aspects: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let mode = Aspects(rawValue: 1)
        package static let owner = Aspects(rawValue: 2)
        package static let time = Aspects(rawValue: 4)
        package static let attributes = Aspects(rawValue: 8)
        package static let hardLinks = Aspects(rawValue: 16)
        /// Inode and change time: whether anything at all was written.
        package static let untouched = Aspects(rawValue: 32)
        /// Holes.
        package static let blocks = Aspects(rawValue: 64)
        package static let directoryTimes = Aspects(rawValue: 128)

        /// What a copy by root must keep.
        package static let copied: Aspects = [.mode, .owner, .time, .attributes, .hardLinks, .directoryTimes]
        package static let all: Aspects = [.copied, .untouched]
    }

    /// By path; the root is the empty path.
    package private(set) var entries: [BytePath: Entry]

    init(entries: [BytePath: Entry]) {
        self.entries = entries
    }

    package subscript(_ path: String) -> Entry? { entries[BytePath(path)] }

    package var paths: [BytePath] { entries.keys.sorted() }

    /// The snapshot without some entries.
    package func without(_ isLeftOut: (BytePath) -> Bool) -> TreeSnapshot {
        TreeSnapshot(entries: entries.filter { !isLeftOut($0.key) })
    }

    /// What mediasync must not leave behind.
    package var litter: [BytePath] {
        let own = Array(".mediasync-".utf8)
        return entries.keys.filter { $0.lastComponent.bytes.starts(with: own) }
    }

    // MARK: Comparing

    /// Readable differences, at most so many; empty where the trees are equal.
    package func differences(from other: TreeSnapshot, in aspects: Aspects = .copied, most: Int = 20) -> [String] {
        var found: [String] = []
        for (path, left) in entries {
            guard let right = other.entries[path] else {
                found.append("\(path): only in the first tree")
                continue
            }
            let differing = Self.differences(left, right, aspects)
            if !differing.isEmpty { found.append("\(path): " + differing.joined(separator: ", ")) }
        }
        for path in other.entries.keys where entries[path] == nil { found.append("\(path): only in the second tree") }
        return Array(found.sorted().prefix(most))
    }

    private static func differences(_ left: Entry, _ right: Entry, _ aspects: Aspects) -> [String] {
        guard left.kind == right.kind else { return ["\(left.kind.name) / \(right.kind.name)"] }
        var found: [String] = []
        func compare<Value: Equatable>(_ name: String, _ first: Value, _ second: Value) {
            if first != second { found.append("\(name) \(first) / \(second)") }
        }
        compare("size", left.size, right.size)
        if left.contentHash != right.contentHash { found.append("content") }
        if left.linkText != right.linkText { found.append("link text") }
        compare("device", left.deviceNumber, right.deviceNumber)
        if aspects.contains(.mode), left.kind != .symlink {
            if left.mode != right.mode { compare("mode", String(left.mode, radix: 8), String(right.mode, radix: 8)) }
        }
        if aspects.contains(.owner) {
            compare("owner", [left.owner, left.group], [right.owner, right.group])
        }
        if aspects.contains(left.kind == .directory ? .directoryTimes : .time) {
            compare("time", [left.seconds, left.nanoseconds], [right.seconds, right.nanoseconds])
        }
        if aspects.contains(.attributes), left.attributes != right.attributes {
            found.append("attributes \(left.attributes.keys.sorted()) / \(right.attributes.keys.sorted())")
        }
        if aspects.contains(.hardLinks) {
            compare("linked with", left.linkedWith, right.linkedWith)
        }
        if aspects.contains(.blocks) { compare("blocks", left.blocks, right.blocks) }
        if aspects.contains(.untouched) {
            compare("inode", left.inode, right.inode)
            compare(
                "change time",
                [left.changedSeconds, left.changedNanoseconds],
                [right.changedSeconds, right.changedNanoseconds]
            )
        }
        return found
    }
}
