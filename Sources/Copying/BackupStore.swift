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

    /// Moves an entry here that is about to be deleted, a whole directory too.
    func move(_ name: EntryName, from directory: HeldDirectory, of node: DirectoryNode) throws(FileFault) {
        let folder = try openFolder(for: node)
        defer { folder.close() }
        try directory.rename(name, to: folder, as: name)
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
