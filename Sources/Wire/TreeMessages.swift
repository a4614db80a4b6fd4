package import MediaModel

/// A directory of the sender's tree; entries and children that name it follow.
package struct WireDirectory: Hashable, Sendable {
    /// What is known of it.
    package enum State: Hashable, Sendable {
        case open(WireMetadata, [ExtendedAttribute])
        /// It stays out, or is made without its contents where there is metadata.
        case skipped(SkipReason)
        /// It could not be opened: what the target has below it stays.
        case failed(SyncError)
    }

    /// Chosen by the sender; free again after its end.
    package var id: UInt32
    /// Nil for the root alone.
    package var parent: UInt32?
    /// Empty for the root.
    package var name: BytePath
    package var state: State

    package init(id: UInt32, parent: UInt32?, name: BytePath, state: State) {
        self.id = id
        self.parent = parent
        self.name = name
        self.state = state
    }
}

/// How the entries of a directory end.
package enum DirectoryEnd: Hashable, Sendable {
    /// All were named: what the target has beside them is extraneous.
    case listed
    /// It is taken without its contents, as a mount point is.
    case unlisted
    /// Listing it failed in the middle.
    case failed(SyncError)
}

/// One entry that is no directory, or a directory that is left out.
package struct WireEntry: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case present(WireMetadata)
        case skipped(SkipReason)
        case failed(SyncError)
    }

    package var name: BytePath
    package var kind: EntryKind
    package var state: State
    /// Of a link.
    package var text: [UInt8]
    /// Of a file, where contents are compared.
    package var digest: Digest?
    /// Of a file that was opened for its digest.
    package var attributes: [ExtendedAttribute]?

    package init(
        name: BytePath,
        kind: EntryKind,
        state: State,
        text: [UInt8] = [],
        digest: Digest? = nil,
        attributes: [ExtendedAttribute]? = nil
    ) {
        self.name = name
        self.kind = kind
        self.state = state
        self.text = text
        self.digest = digest
        self.attributes = attributes
    }
}

/// Some entries of one directory. The receiver answers with one `Want`.
package struct WireBatch: Hashable, Sendable {
    package var id: UInt32
    package var directory: UInt32
    package var entries: [WireEntry]

    package init(id: UInt32, directory: UInt32, entries: [WireEntry]) {
        self.id = id
        self.directory = directory
        self.entries = entries
    }
}

/// Names an entry: its batch, and its place in it.
package struct WireReference: Hashable, Sendable {
    package var batch: UInt32
    package var index: UInt32

    package init(batch: UInt32, index: UInt32) {
        self.batch = batch
        self.index = index
    }
}

/// What the receiver still needs of a batch; nothing where all is as it should be.
package struct Want: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package var index: UInt32
        /// Attributes alone, or the content with them.
        package var attributesOnly: Bool
        /// What is there is described first: a `WireBasis` follows, or the wish to have all of it.
        package var hasBasis: Bool

        package init(index: UInt32, attributesOnly: Bool = false, hasBasis: Bool = false) {
            self.index = index
            self.attributesOnly = attributesOnly
            self.hasBasis = hasBasis
        }
    }

    package var batch: UInt32
    package var items: [Item]

    package init(batch: UInt32, items: [Item]) {
        self.batch = batch
        self.items = items
    }
}

/// A file as it was when it was opened, with all its bytes where there are few.
package struct WireFile: Hashable, Sendable {
    /// What comes with the attributes.
    package enum Content: Hashable, Sendable {
        /// All of it, and its digest.
        case whole([UInt8], Digest)
        /// In pieces, under this number, until `FileEnd`.
        case pieces(transfer: UInt32)
        /// Nothing: attributes were asked for.
        case attributes
        /// As copies of the basis and pieces, under this number, until `FileEnd`.
        case delta(transfer: UInt32)
    }

    package var reference: WireReference
    package var metadata: WireMetadata
    package var attributes: [ExtendedAttribute]
    package var content: Content

    package init(
        reference: WireReference,
        metadata: WireMetadata,
        attributes: [ExtendedAttribute],
        content: Content
    ) {
        self.reference = reference
        self.metadata = metadata
        self.attributes = attributes
        self.content = content
    }
}

/// How the pieces of a file end.
package enum FileEnd: Hashable, Sendable {
    /// All bytes were read, and the file was the same before and after.
    case whole(Digest)
    /// It changed; it comes once more, as another transfer.
    case again
    case failed(SyncError)
}

extension WireReader {
    package mutating func attributes() throws(WireFault) -> [ExtendedAttribute] {
        var total = 0
        return try list(WireLimit.attributes, bytesEach: 2) { (reader) throws(WireFault) in
            let attribute = ExtendedAttribute(
                name: try reader.bytes(WireLimit.nameBytes),
                value: try reader.bytes(64 << 10)
            )
            if attribute.name.isEmpty || attribute.name.contains(0) {
                throw WireFault("an extended attribute has no name")
            }
            total += attribute.name.count + attribute.value.count
            if total > WireLimit.attributeBytes { throw WireFault("extended attributes are too long") }
            return attribute
        }
    }

    mutating func directory() throws(WireFault) -> WireDirectory {
        let id = try number32()
        let parent = try optional { (reader) throws(WireFault) in try reader.number32() }
        let name = parent == nil ? BytePath.root : try name()
        let state: WireDirectory.State
        switch try byte() {
        case 0:
            let metadata = try metadata()
            if metadata.mode & 0o170000 != 0o040000 { throw WireFault("a directory is none") }
            state = .open(metadata, try attributes())
        case 1: state = .skipped(try skipReason())
        case 2: state = .failed(try failure())
        default: throw WireFault("a directory is in no known state")
        }
        return WireDirectory(id: id, parent: parent, name: name, state: state)
    }

    mutating func directoryEnd() throws(WireFault) -> DirectoryEnd {
        switch try byte() {
        case 0: .listed
        case 1: .unlisted
        case 2: .failed(try failure())
        default: throw WireFault("a directory ends in no known way")
        }
    }

    mutating func batch() throws(WireFault) -> WireBatch {
        WireBatch(
            id: try number32(),
            directory: try number32(),
            entries: try list(WireLimit.batchEntries, bytesEach: 5) { (reader) throws(WireFault) in
                try reader.entry()
            }
        )
    }

    private mutating func entry() throws(WireFault) -> WireEntry {
        let name = try name()
        let kind = try kind()
        let state: WireEntry.State
        switch try byte() {
        case 0:
            let metadata = try metadata()
            if kind == .directory || metadata.mode & 0o170000 != kind.modeBits {
                throw WireFault("an entry is of another kind than its mode says")
            }
            state = .present(metadata)
        case 1: state = .skipped(try skipReason())
        case 2: state = .failed(try failure())
        default: throw WireFault("an entry is in no known state")
        }
        var text: [UInt8] = []
        if kind == .symlink, case .present = state {
            text = try bytes(WireLimit.pathBytes)
            if text.isEmpty || text.contains(0) { throw WireFault("a link has no text") }
        }
        return WireEntry(
            name: name,
            kind: kind,
            state: state,
            text: text,
            digest: try optional { (reader) throws(WireFault) in try reader.digest() },
            attributes: try optional { (reader) throws(WireFault) in try reader.attributes() }
        )
    }

    mutating func reference() throws(WireFault) -> WireReference {
        WireReference(batch: try number32(), index: UInt32(try unsigned(UInt64(WireLimit.batchEntries - 1))))
    }

    mutating func want() throws(WireFault) -> Want {
        let batch = try number32()
        var last = -1
        let items = try list(WireLimit.batchEntries, bytesEach: 2) { (reader) throws(WireFault) in
            let index = UInt32(try reader.unsigned(UInt64(WireLimit.batchEntries - 1)))
            if Int(index) <= last { throw WireFault("an entry is wanted twice") }
            last = Int(index)
            let way = try reader.unsigned(2)
            return Want.Item(index: index, attributesOnly: way == 1, hasBasis: way == 2)
        }
        return Want(batch: batch, items: items)
    }

    mutating func file() throws(WireFault) -> WireFile {
        let reference = try reference()
        let metadata = try metadata()
        if metadata.mode & 0o170000 != 0o100000 { throw WireFault("a file is none") }
        let attributes = try attributes()
        let content: WireFile.Content
        switch try byte() {
        case 0:
            let bytes = try bytes(WireLimit.wholeFileBytes)
            if bytes.count != metadata.size { throw WireFault("a file is shorter or longer than it says") }
            content = .whole(bytes, try digest())
        case 1: content = .pieces(transfer: try number32())
        case 2: content = .attributes
        case 3: content = .delta(transfer: try number32())
        default: throw WireFault("a file comes in no known way")
        }
        return WireFile(reference: reference, metadata: metadata, attributes: attributes, content: content)
    }

    mutating func fileEnd() throws(WireFault) -> FileEnd {
        switch try byte() {
        case 0: .whole(try digest())
        case 1: .again
        case 2: .failed(try failure())
        default: throw WireFault("a file ends in no known way")
        }
    }
}

extension WireWriter {
    package mutating func attributes(_ attributes: [ExtendedAttribute]) {
        list(attributes) { writer, attribute in
            writer.data(attribute.name)
            writer.data(attribute.value)
        }
    }

    mutating func directory(_ directory: WireDirectory) {
        unsigned(directory.id)
        optional(directory.parent) { $0.unsigned($1) }
        if directory.parent != nil { path(directory.name) }
        switch directory.state {
        case .open(let open, let list):
            byte(0)
            metadata(open)
            attributes(list)
        case .skipped(let reason):
            byte(1)
            skipReason(reason)
        case .failed(let error):
            byte(2)
            failure(error)
        }
    }

    mutating func directoryEnd(_ end: DirectoryEnd) {
        switch end {
        case .listed: byte(0)
        case .unlisted: byte(1)
        case .failed(let error):
            byte(2)
            failure(error)
        }
    }

    mutating func batch(_ batch: WireBatch) {
        unsigned(batch.id)
        unsigned(batch.directory)
        list(batch.entries) { $0.entry($1) }
    }

    private mutating func entry(_ entry: WireEntry) {
        path(entry.name)
        byte(entry.kind.rawValue)
        switch entry.state {
        case .present(let present):
            byte(0)
            metadata(present)
            if entry.kind == .symlink { data(entry.text) }
        case .skipped(let reason):
            byte(1)
            skipReason(reason)
        case .failed(let error):
            byte(2)
            failure(error)
        }
        optional(entry.digest) { $0.digest($1) }
        optional(entry.attributes) { $0.attributes($1) }
    }

    mutating func reference(_ reference: WireReference) {
        unsigned(reference.batch)
        unsigned(reference.index)
    }

    mutating func want(_ want: Want) {
        unsigned(want.batch)
        list(want.items) { writer, item in
            writer.unsigned(item.index)
            writer.byte(item.attributesOnly ? 1 : item.hasBasis ? 2 : 0)
        }
    }

    mutating func file(_ file: WireFile) {
        reference(file.reference)
        metadata(file.metadata)
        attributes(file.attributes)
        switch file.content {
        case .whole(let bytes, let sum):
            byte(0)
            data(bytes)
            digest(sum)
        case .pieces(let transfer):
            byte(1)
            unsigned(transfer)
        case .attributes:
            byte(2)
        case .delta(let transfer):
            byte(3)
            unsigned(transfer)
        }
    }

    /// A frame with a file and all its bytes, which are read to where they travel from.
    /// - Parameters:
    ///   - file: its content is not looked at.
    ///   - count: its bytes, at most `WireLimit.wholeFileBytes`.
    ///   - read: reads them into a buffer with room for one more, so that growth shows, and tells their digest; nil where there are
    ///     not as many any more. Then there is no frame.
    package static func frame(
        of file: WireFile,
        bytes count: Int,
        _ read: (UnsafeMutableRawBufferPointer) -> Digest?
    ) -> [UInt8]? {
        var head = WireWriter()
        head.begin(reserving: 256)
        head.reference(file.reference)
        head.metadata(file.metadata)
        head.attributes(file.attributes)
        head.byte(0)
        head.unsigned(count)
        var sum: Digest?
        var writer = WireWriter()
        writer.bytes = [UInt8](unsafeUninitializedCapacity: head.bytes.count + count + 64) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(buffer)
            head.bytes.withUnsafeBytes { room.copyMemory(from: $0) }
            let place = UnsafeMutableRawBufferPointer(rebasing: room[head.bytes.count..<(head.bytes.count + count + 1)])
            sum = read(place)
            filled = sum == nil ? 0 : head.bytes.count + count
        }
        guard let sum else { return nil }
        writer.digest(sum)
        writer.finish(kind: Message.fileKind)
        return writer.bytes
    }

    mutating func fileEnd(_ end: FileEnd) {
        switch end {
        case .whole(let sum):
            byte(0)
            digest(sum)
        case .again:
            byte(1)
        case .failed(let error):
            byte(2)
            failure(error)
        }
    }
}

extension EntryKind {
    /// The type as `st_mode` has it.
    package var modeBits: UInt32 {
        switch self {
        case .file: 0o100000
        case .directory: 0o040000
        case .symlink: 0o120000
        case .fifo: 0o010000
        case .socket: 0o140000
        case .blockDevice: 0o060000
        case .characterDevice: 0o020000
        }
    }
}
