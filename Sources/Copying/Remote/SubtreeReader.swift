internal import Checksums
internal import MediaModel
internal import Storage
internal import Wire

/// What a directory holds, as both ends see it if it is the same.
struct SubtreeSummary {
    let digest: Digest
    /// When each entry was changed, in the digest's order: nanoseconds since 1970.
    let changeTimes: [Int64]
    /// The directory itself is among the directories.
    let directories: Int
    let files: Int
    let links: Int
    /// Of all files.
    let bytes: Int64

    var entries: Int { changeTimes.count }
}

/// Reads small subtrees, entry by entry in the order of their names, and nothing of any file's content. One thread's own.
///
/// Only what every copy treats alike is summarized: directories, files of one name, links. Anything else, what cannot be read among
/// it, has no summary and is told entry by entry.
final class SubtreeReader {
    /// Entries of one subtree. What differs in one of them has all of them looked at once more; what is the same saves as many messages.
    static let entriesMax = 128
    /// Directories between the subtree's and the deepest one: each is open while what is below it is read.
    static let levelsMax = 12
    /// Longer texts of links are told by themselves.
    private static let linkBytesMax = 1024
    /// A name, a link's text, times, size, owners.
    private static let entryBytesMax = 256 + linkBytesMax + 64

    private struct Item {
        let nameStart: Int
        let nameLength: Int
        let kind: EntryKind?
    }

    private let comparesOwners: Bool
    private let device: UInt64
    private let listing = ListingBuffer()
    private let digest = StreamingDigest(.sha256)
    /// What the digest is of.
    private let description = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SubtreeReader.entriesMax * SubtreeReader.entryBytesMax,
        alignment: 16
    )
    private var described = 0
    /// Names of the directories at hand, each ending in NUL.
    private let names = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SubtreeReader.entriesMax * 256,
        alignment: 16
    )
    private var named = 0
    private var items: [Item] = []
    /// Of an entry that is looked at by its name.
    private var path: [UInt8] = []
    /// Entries that may still come.
    private var left = 0
    private var changeTimes: [Int64] = []
    private var directories = 0
    private var files = 0
    private var links = 0
    private var bytes: Int64 = 0

    /// - Parameter device: what lies on another one has no summary.
    init(comparesOwners: Bool, device: UInt64) {
        self.comparesOwners = comparesOwners
        self.device = device
    }

    deinit {
        description.deallocate()
        names.deallocate()
    }

    /// Reads a directory that was just opened, and all below it; nil where it has no summary.
    /// - Parameter entries: more than so many have none; at most `entriesMax`.
    func read(_ directory: HeldDirectory, entries: Int = entriesMax) -> SubtreeSummary? {
        begin(entries: entries)
        guard left >= 0, addDirectory(directory, level: 0) else { return nil }
        return summary()
    }

    private func begin(entries: Int) {
        described = 0
        named = 0
        items.removeAll(keepingCapacity: true)
        left = min(entries, Self.entriesMax) - 1
        changeTimes.removeAll(keepingCapacity: true)
        (directories, files, links, bytes) = (0, 0, 0, 0)
    }

    private func summary() -> SubtreeSummary {
        SubtreeSummary(
            digest: digest.digest(of: UnsafeRawBufferPointer(rebasing: description[..<described])),
            changeTimes: changeTimes,
            directories: directories,
            files: files,
            links: links,
            bytes: bytes
        )
    }

    // MARK: Entries

    private func addDirectory(_ directory: HeldDirectory, level: Int) -> Bool {
        guard let metadata = try? directory.metadata(), metadata.device == device, level <= Self.levelsMax else {
            return false
        }
        // Most file systems count a directory's children in its links: no need to list what has too many.
        guard metadata.linkCount <= UInt64(left) + 2, addAttributes(metadata) else { return false }
        directories += 1
        let (firstItem, firstName) = (items.count, named)
        guard list(directory) else { return false }
        if items.count - firstItem > 1 { items[firstItem...].sort { isOrdered($0, $1) } }
        for index in firstItem..<items.count {
            guard add(items[index], in: directory, level: level) else { return false }
        }
        items.removeLast(items.count - firstItem)
        named = firstName
        put(WireSummary.directoryEnd)
        return true
    }

    private func list(_ directory: HeldDirectory) -> Bool {
        while let count = try? directory.list(into: listing) {
            if count == 0 { return true }
            var cursor = 0
            while let entry = listing.next(&cursor) {
                guard left > 0, !TemporaryName.isOwn(entry.bytes) else { return false }
                left -= 1
                items.append(Item(nameStart: named, nameLength: entry.length, kind: entry.kind))
                let end = named + entry.length + 1
                names[named..<end].copyBytes(from: UnsafeRawBufferPointer(start: entry.name, count: entry.length + 1))
                named = end
            }
        }
        return false
    }

    private func bytes(of item: Item) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: names[item.nameStart..<item.nameStart + item.nameLength])
    }

    private func isOrdered(_ first: Item, _ second: Item) -> Bool {
        bytes(of: first).lexicographicallyPrecedes(bytes(of: second))
    }

    private func add(_ item: Item, in directory: HeldDirectory, level: Int) -> Bool {
        guard let base = names.baseAddress else { return false }
        let name = UnsafeRawPointer(base + item.nameStart).assumingMemoryBound(to: CChar.self)
        if item.kind == .directory { return addChild(name, item, in: directory, level: level) }
        guard let metadata = try? directory.metadata(of: name), let kind = metadata.kind,
            item.kind == nil || item.kind == kind
        else { return false }
        switch kind {
        case .directory:
            return addChild(name, item, in: directory, level: level)
        default:
            return addLeaf(bytes(of: item), kind, metadata) { try? directory.readLink(name) }
        }
    }

    private func addLeaf(
        _ name: UnsafeRawBufferPointer,
        _ kind: EntryKind,
        _ metadata: Metadata,
        readLink: () -> [UInt8]?
    ) -> Bool {
        switch kind {
        case .file:
            // Of a file with several names, which belong together is to be told as well.
            guard metadata.linkCount == 1 else { return false }
            put(kind, name)
            put(metadata.size)
            files += 1
            bytes += metadata.size
        case .symlink:
            guard let text = readLink(), text.count <= Self.linkBytesMax else { return false }
            put(kind, name)
            put(UInt16(text.count))
            text.withUnsafeBytes { put($0) }
            links += 1
        case .directory, .fifo, .socket, .blockDevice, .characterDevice:
            return false
        }
        return addAttributes(metadata)
    }

    private func addChild(_ name: EntryName, _ item: Item, in directory: HeldDirectory, level: Int) -> Bool {
        guard let child = try? directory.openDirectory(name) else { return false }
        defer { child.close() }
        put(.directory, bytes(of: item))
        return addDirectory(child, level: level + 1)
    }

    // MARK: Names that are known

    /// The names of what was read last, as `WireSummary.names` has them.
    func namesOfLast() -> [UInt8] {
        var names: [UInt8] = []
        names.reserveCapacity(changeTimes.count * 12)
        // Behind the directory's own attributes.
        var place = attributeBytes
        while place < described {
            let kind = description[place]
            names.append(kind)
            place += 1
            if kind == WireSummary.directoryEnd { continue }
            let length = Int(description[place])
            names.append(contentsOf: description[place...place + length])
            place += 1 + length
            if kind == EntryKind.file.rawValue {
                place += MemoryLayout<Int64>.size
            } else if kind == EntryKind.symlink.rawValue {
                place += 2 + Int(description[place]) + Int(description[place + 1]) << 8
            }
            place += attributeBytes
        }
        return names
    }

    private var attributeBytes: Int { comparesOwners ? 22 : 14 }

    /// Describes what a directory has under some names, and lists nothing: one call for each. Nil where one of them is not there, or is something
    /// else.
    ///
    /// Nothing is opened, so a link that somebody puts into the place of a directory meanwhile is followed; what is seen by it must be as the
    /// source is to count as the same, which whoever can do that could have it be just as well.
    /// - Parameters:
    ///   - name: of the directory.
    ///   - names: as `WireSummary.names` has them, checked.
    func look(at name: BytePath, names: [UInt8], in parent: HeldDirectory) -> SubtreeSummary? {
        begin(entries: Self.entriesMax)
        return names.withUnsafeBytes { names in
            path.removeAll(keepingCapacity: true)
            path.append(contentsOf: name.bytes)
            guard let metadata = lookUp(in: parent), metadata.kind == .directory, addAttributes(metadata) else {
                return nil
            }
            directories += 1
            return addKnown(names, in: parent) ? summary() : nil
        }
    }

    private func addKnown(_ names: UnsafeRawBufferPointer, in parent: HeldDirectory) -> Bool {
        var ends = [path.count]
        var place = 0
        while let end = ends.last, place < names.count {
            guard names[place] != WireSummary.directoryEnd else {
                ends.removeLast()
                put(WireSummary.directoryEnd)
                place += 1
                continue
            }
            guard let kind = EntryKind(rawValue: names[place]), left > 0, ends.count <= Self.levelsMax + 1 else {
                return false
            }
            left -= 1
            let name = UnsafeRawBufferPointer(rebasing: names[(place + 2)..<(place + 2 + Int(names[place + 1]))])
            place += 2 + name.count
            if TemporaryName.isOwn(name) { return false }
            path.removeLast(path.count - end)
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: name)
            guard let metadata = lookUp(in: parent), metadata.kind == kind else { return false }
            if kind == .directory {
                put(kind, name)
                guard addAttributes(metadata) else { return false }
                directories += 1
                ends.append(path.count)
            } else {
                guard addLeaf(name, kind, metadata, readLink: { withPath { try? parent.readLink($0) } }) else {
                    return false
                }
            }
        }
        return ends.isEmpty
    }

    private func lookUp(in parent: HeldDirectory) -> Metadata? {
        let metadata = withPath { try? parent.metadata(of: $0) }
        return metadata?.device == device ? metadata : nil
    }

    /// The path at hand, ending in NUL for the time of a call.
    private func withPath<Result>(_ body: (EntryName) -> Result) -> Result {
        path.append(0)
        defer { path.removeLast() }
        return path.withUnsafeBytes { bytes in
            // Never empty: it ends in NUL.
            body(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
        }
    }

    // MARK: Attributes

    /// What a copy makes equal: see `Attributes.changes`.
    private func addAttributes(_ metadata: Metadata) -> Bool {
        let change = metadata.changeTime
        guard (0...Self.secondsMax).contains(change.seconds) else { return false }
        changeTimes.append(change.seconds * 1_000_000_000 + Int64(change.nanoseconds))
        // Links have none.
        put(metadata.kind == .symlink ? 0 : UInt16(metadata.permissions))
        if comparesOwners {
            put(metadata.owner)
            put(metadata.group)
        }
        put(metadata.modificationTime.seconds)
        put(metadata.modificationTime.nanoseconds)
        return true
    }

    /// In nanoseconds it is below the limit of a number between machines.
    private static let secondsMax: Int64 = 1 << 32

    // MARK: The description

    private func put(_ kind: EntryKind, _ name: UnsafeRawBufferPointer) {
        put(kind.rawValue)
        put(UInt8(name.count))
        put(name)
    }

    private func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { put($0) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) {
        description[described..<described + bytes.count].copyBytes(from: bytes)
        described += bytes.count
    }
}

extension WireSummary {
    init(
        id: UInt32,
        parent: UInt32,
        name: BytePath,
        _ summary: SubtreeSummary,
        names: [UInt8],
        comparesChanges: Bool
    ) {
        let latest = summary.changeTimes.max() ?? 0
        self.init(
            id: id,
            parent: parent,
            name: name,
            entries: UInt32(summary.entries),
            names: names,
            digest: summary.digest,
            latestChange: comparesChanges ? latest : 0,
            ages: comparesChanges ? summary.changeTimes.map { UInt64(latest - $0) >> UInt64(Self.ageShift) } : []
        )
    }
}
