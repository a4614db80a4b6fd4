internal import MediaModel
internal import Storage

/// The files of an export, and its removal.
enum BackupFiles {
    /// Exports are two levels deep; certificates may lie some deeper.
    private static let depthMax = 8
    private static let namesMax = 100_000

    /// What the manifest of files names: all but itself, the marker, and the media archive, which has a manifest of its own.
    static func listed(in directory: HeldDirectory) throws(SyncError) -> [BytePath] {
        let left = Set(BackupLayout.mediaArchives + [BackupLayout.fileManifest, BackupLayout.marker])
        var found: [BytePath] = []
        try walk(directory, .root, depth: 0) { path, kind in
            if kind != .directory, !left.contains(path) { found.append(path) }
        }
        return found.sorted()
    }

    private static func walk(
        _ directory: HeldDirectory,
        _ path: BytePath,
        depth: Int,
        _ body: (BytePath, EntryKind?) -> Void
    ) throws(SyncError) {
        for name in try directory.names(limit: namesMax) {
            let inside = path.appending(name)
            let kind: EntryKind?
            do throws(FileFault) {
                kind = try name.withEntryName { (name) throws(FileFault) in try directory.metadata(of: name).kind }
            } catch { throw error.syncError("could not look at \(inside)") }
            body(inside, kind)
            guard kind == .directory, depth < depthMax, let next = try directory.directory(name) else { continue }
            defer { next.close() }
            try walk(next, inside, depth: depth + 1, body)
        }
    }

    /// Removes an export with everything in it. No link is followed, no mount is crossed.
    static func remove(_ name: BytePath, from directory: HeldDirectory) throws(SyncError) {
        do throws(FileFault) {
            try removeTree(name, from: directory, depth: 0)
        } catch {
            throw error.syncError("could not remove \(name)")
        }
    }

    private static func removeTree(_ name: BytePath, from directory: HeldDirectory, depth: Int) throws(FileFault) {
        try name.withEntryName { (entry) throws(FileFault) in
            let folder = try directory.openDirectoryOnSameMount(entry)
            defer { folder.close() }
            for name in try names(in: folder) {
                try name.withEntryName { (inside) throws(FileFault) in
                    guard let metadata = try folder.lookUp(inside) else { return }
                    if metadata.kind == .directory, depth < depthMax {
                        try removeTree(name, from: folder, depth: depth + 1)
                    } else {
                        try folder.removeFile(inside)
                    }
                }
            }
            try directory.removeDirectory(entry)
        }
    }

    private static func names(in directory: HeldDirectory) throws(FileFault) -> [BytePath] {
        let listing = ListingBuffer()
        var names: [BytePath] = []
        while try directory.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) { names.append(BytePath(name: entry.name)) }
        }
        return names
    }
}
