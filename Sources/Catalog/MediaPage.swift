/// What the rows of one page have files of, in a few pieces of memory however many rows there are: read by one thread, used
/// by many, copied by none.
package final class MediaPage: Sendable {
    /// One attachment of a row. Its texts are kept by the page.
    package struct Entry: Sendable {
        package let kind: MediaKind
        package let isRemote: Bool
        package let rowID: Int64
        /// Of the original; nil where the row does not say.
        package let byteCount: Int64?
        let storageVersion: Int64
        /// The index of its content type.
        let type: Int
        /// Where its name begins, and how many bytes it has.
        let nameStart: Int
        let nameCount: Int

        /// As `StoredMedia` has it.
        var isCached: Bool { kind.canBeCached && isRemote && storageVersion >= 1 }
    }

    package let entries: [Entry]
    /// All names, one behind the other.
    let names: [UInt8]
    /// Content types: neighbours share theirs, and one may be here several times.
    let types: [String?]

    init(_ builder: consuming Builder) {
        entries = builder.entries
        names = builder.names
        types = builder.types
    }

    package var count: Int { entries.count }

    /// One attachment by itself.
    package subscript(_ index: Int) -> StoredMedia {
        let entry = entries[index]
        return StoredMedia(
            kind: entry.kind,
            rowID: entry.rowID,
            isRemote: entry.isRemote,
            fileName: Array(name(of: entry)),
            contentType: types[entry.type],
            byteCount: entry.byteCount,
            storageVersion: entry.storageVersion
        )
    }

    func name(of entry: Entry) -> ArraySlice<UInt8> {
        names[entry.nameStart..<(entry.nameStart + entry.nameCount)]
    }

    /// Gathers a page.
    struct Builder: ~Copyable {
        /// How many of the last types are compared with a new one: pages have a handful of them.
        private static let typesCompared = 8

        fileprivate var entries: [Entry] = []
        fileprivate var names: [UInt8] = []
        fileprivate var types: [String?] = [nil]
        /// The types' bytes; none is no type.
        private var typeBytes: [[UInt8]] = [[]]
        private var lastType = 0

        init(capacity: Int) {
            entries.reserveCapacity(capacity)
            names.reserveCapacity(24 * capacity)
        }

        /// - Parameters:
        ///   - name: as the row has it; valid during the call, like `type`.
        ///   - type: nil where the row has none.
        mutating func append(
            _ kind: MediaKind,
            rowID: Int64,
            isRemote: Bool,
            name: UnsafeBufferPointer<UInt8>,
            type: UnsafeBufferPointer<UInt8>?,
            byteCount: Int64?,
            storageVersion: Int64
        ) {
            let start = names.count
            names.append(contentsOf: name)
            entries.append(
                Entry(
                    kind: kind,
                    isRemote: isRemote,
                    rowID: rowID,
                    byteCount: byteCount,
                    storageVersion: storageVersion,
                    type: index(of: type),
                    nameStart: start,
                    nameCount: name.count
                )
            )
        }

        private mutating func index(of type: UnsafeBufferPointer<UInt8>?) -> Int {
            guard let type else { return 0 }
            if lastType > 0, isType(lastType, type) { return lastType }
            let known = max(1, types.count - Self.typesCompared)..<types.count
            if let index = known.first(where: { isType($0, type) }) {
                lastType = index
            } else {
                lastType = types.count
                types.append(String(decoding: type, as: UTF8.self))
                typeBytes.append(Array(type))
            }
            return lastType
        }

        private func isType(_ index: Int, _ type: UnsafeBufferPointer<UInt8>) -> Bool {
            typeBytes[index].count == type.count && typeBytes[index].elementsEqual(type)
        }
    }
}
