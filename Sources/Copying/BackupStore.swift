internal import MediaModel
internal import Storage

/// `--backup-dir`: keeps what a run replaces or deletes, under its path in the tree. On the target's file system, so that
/// keeping is a link or a rename.
struct BackupStore: Sendable {
    let root: HeldDirectory
    let identity: FileIdentity

    /// Keeps a file that is about to be replaced: it gets a second name here and loses none in the target, so that at no
    /// moment the name is missing. An older backup of the same path is replaced.
    func keepForReplacement(_ name: EntryName, of node: DirectoryNode) throws(FileFault) {
        let folder = try openFolder(for: node)
        defer { folder.close() }
        do throws(FileFault) {
            try node.target.link(name, to: folder, as: name)
        } catch  where error.kind == .exists {
            try folder.removeFile(name)
            try node.target.link(name, to: folder, as: name)
        }
    }

    /// Directories within each other that are merged with an older backup; media trees have ten.
    private static let mergeDepthMax = 64

    /// Moves an entry here that is about to be deleted, a whole directory too. A directory that was kept before is merged
    /// with the older one, name by name; the newer file stays.
    func move(_ name: EntryName, from directory: HeldDirectory, of node: DirectoryNode) throws(FileFault) {
        let folder = try openFolder(for: node)
        defer { folder.close() }
        try merge(name, from: directory, into: folder, depth: 0)
    }

    private func merge(
        _ name: EntryName,
        from directory: HeldDirectory,
        into folder: HeldDirectory,
        depth: Int
    ) throws(FileFault) {
        do throws(FileFault) {
            return try directory.rename(name, to: folder, as: name)
        } catch  where (error.kind == .notEmpty || error.kind == .exists) && depth < Self.mergeDepthMax {
            // Two directories that both have something in them.
        } catch  where error.kind == .wrongKind {
            // A directory now, a file then; the other way round the older directory stays and the error names it.
            try folder.removeFile(name)
            return try directory.rename(name, to: folder, as: name)
        }
        let newer = try directory.openDirectory(name)
        defer { newer.close() }
        let older = try folder.openDirectory(name)
        defer { older.close() }
        let listing = ListingBuffer()
        while try newer.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                try merge(entry.name, from: newer, into: older, depth: depth + 1)
            }
        }
        try directory.removeDirectory(name)
    }

    private func openFolder(for node: DirectoryNode) throws(FileFault) -> HeldDirectory {
        var current = try root.duplicate()
        for step in node.chain() {
            do throws(FileFault) {
                do throws(FileFault) {
                    try current.makeDirectory(step.name, mode: 0o700)
                } catch  where error.kind == .exists {}
                let next = try current.openDirectory(step.name)
                current.close()
                current = next
            } catch {
                current.close()
                throw error
            }
        }
        return current
    }
}
