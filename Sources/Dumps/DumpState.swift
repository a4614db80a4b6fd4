internal import MediaModel
internal import Storage

/// The files of a dump at one moment: whether anything changed is told by comparing two.
struct DumpState {
    struct Entry {
        let name: BytePath
        let metadata: Metadata
    }

    /// More files than the archive of any database has.
    private static let entriesMax = 1 << 20

    private let entries: [Entry]

    init(of entries: [Entry]) {
        self.entries = entries
    }

    /// Looks at all entries of a directory archive. Only regular files belong there: a link could lead anywhere.
    init(directory: HeldDirectory, path: BytePath) throws(SyncError) {
        var found: [Entry] = []
        let listing = ListingBuffer()
        do throws(FileFault) {
            try directory.rewind()
            while try directory.list(into: listing) > 0 {
                var cursor = 0
                while let entry = listing.next(&cursor) {
                    found.append(
                        Entry(name: BytePath(name: entry.name), metadata: try directory.metadata(of: entry.name))
                    )
                }
                if found.count > Self.entriesMax { break }
            }
        } catch {
            throw error.syncError("cannot list the dump \(path)")
        }
        guard found.contains(where: { $0.name == BytePath("toc.dat") }), found.count <= Self.entriesMax else {
            throw SyncError(
                .unusable,
                "\(path) is not a dump",
                why: "a directory is one only where it holds toc.dat, and the archive's files",
                hint: "name the dump's file, or the directory that pg_dump -Fd made"
            )
        }
        for entry in found where entry.metadata.kind != .file {
            let kind = entry.metadata.kind?.name ?? "special entry"
            throw SyncError(
                .refused,
                "the dump \(path) is refused",
                why: "\(entry.name) in it is a \(kind); an archive holds files only",
                hint: "remove the entry if it does not belong there"
            )
        }
        entries = found.sorted { $0.name < $1.name }
    }

    /// Bytes of all files.
    var size: Int64 { entries.reduce(0) { $0 + $1.metadata.size } }

    /// The change time is not among it: a name that is taken away changes it, and does no harm.
    func isSame(as other: DumpState) -> Bool {
        entries.elementsEqual(other.entries) {
            $0.name == $1.name && $0.metadata.identity == $1.metadata.identity && $0.metadata.size == $1.metadata.size
                && $0.metadata.modificationTime == $1.metadata.modificationTime
        }
    }
}
