internal import Glibc
package import MediaModel

/// A directory as a store. Everything is reached from its descriptor and link-free: a link in a path is an error, never a
/// way to somewhere else. The root's directory may be moved or mounted over meanwhile; this store stays with what it opened.
package final class LocalMediaStore: MediaStore {
    private let root: HeldDirectory
    private let tree: LinkFreeTree
    /// Where what is removed goes; nil for nowhere.
    private let trash: LocalMediaStore?
    /// Who gets what root makes here: the root's owner, who serves the media. Nil for others, who own what they make.
    private let owner: (user: UInt32, group: UInt32)?

    /// - Parameters:
    ///   - path: a directory; a link to one is followed, because the user named it.
    ///   - trash: removed files are moved there, under the same paths; on the same file system.
    ///   - mayMount: false for tests of systems that do not let us keep links out by a mount.
    package init(_ path: BytePath, trash: LocalMediaStore? = nil, mayMount: Bool = true) throws(FileFault) {
        root = try HeldDirectory.openRoot(path)
        tree = LinkFreeTree(root, mayMount: mayMount)
        self.trash = trash
        let metadata = try root.metadata()
        owner = geteuid() == 0 ? (metadata.owner, metadata.group) : nil
    }

    deinit {
        tree.close()
        root.close()
    }

    /// The root's descriptor, for what is no store's matter: its lock, its owner, the space below it.
    package var directory: HeldDirectory { root }

    package func look(_ path: BytePath) throws(FileFault) -> StoreEntry? {
        if path == .root { return StoreEntry(try root.metadata()) }
        return try tree.lookUp(path).map { StoreEntry($0) }
    }

    package func look(all paths: PathList) -> [Result<StoreEntry?, FileFault>] {
        tree.lookUp(paths) { StoreEntry($0) }
    }

    package func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        let directory = try root.openDirectory(beneath: directory)
        defer { directory.close() }
        let buffer = ListingBuffer()
        while try directory.list(into: buffer) > 0 {
            var cursor = 0
            while let entry = buffer.next(&cursor) { body(BytePath(name: entry.name), entry.kind) }
        }
    }

    package func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        let file = try open(path)
        let size = try file.metadata().size
        var bytes = [UInt8](repeating: 0, count: Int(min(Int64(limit), max(0, size))))
        let count = try file.readFully(into: &bytes)
        return Array(bytes.prefix(count))
    }

    package func open(_ path: BytePath) throws(FileFault) -> OpenFile {
        let file = try path.withEntryName { (name) throws(FileFault) in try root.openFile(beneath: name) }
        guard try file.metadata().kind == .file else { throw FileFault("openat2", -EISDIR) }
        return file
    }

    // MARK: Publishing

    package func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        try publish(at: path, modes) { (directory, name) throws(FileFault) in
            try publish(directory, name, mode: modes.file) { (file) throws(FileFault) in try file.write(contents, at: 0)
            }
        }
    }

    package func makeSpool() throws(FileFault) -> SpoolFile { try root.makeSpool() }

    package func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        try publish(at: path, modes) { (directory, name) throws(FileFault) in
            try give(spool, directory, name, modes)
        }
    }

    package func publish(all files: [SpooledFile], modes: StoreModes, named: () -> Void) throws(FileFault) {
        // First the directories: one in which several are made is put on the disk once.
        var grown: Set<BytePath> = []
        for file in files { try makeDirectories(file.path.parent, mode: modes.directory, grown: &grown).close() }
        try synchronize(grown)
        for file in files {
            let directory = try root.openDirectory(beneath: file.path.parent)
            defer { directory.close() }
            try file.path.lastComponent.withEntryName { (name) throws(FileFault) in
                try give(file.spool, directory, name, modes)
            }
            named()
        }
        try synchronize(Set(files.map(\.path.parent)))
    }

    /// Puts directories on the disk, the outer ones first.
    private func synchronize(_ paths: Set<BytePath>) throws(FileFault) {
        for path in paths.sorted(by: { $0.bytes.count < $1.bytes.count }) {
            let directory = try root.openDirectory(beneath: path)
            defer { directory.close() }
            try directory.synchronize()
        }
    }

    /// Gives a spooled file a name in a directory.
    private func give(
        _ spool: SpoolFile,
        _ directory: HeldDirectory,
        _ name: EntryName,
        _ modes: StoreModes
    ) throws(FileFault) {
        do throws(FileFault) {
            let file = try OpenFile.duplicate(spool.descriptor)
            try finish(file, mode: modes.file)
            try directory.link(unnamed: file.raw, as: name)
        } catch  where error.kind == .crossDevice || error.kind == .missing {
            // Another file system is mounted below the root, or this one has no files without names: its bytes are
            // copied.
            try publish(directory, name, mode: modes.file) { (file) throws(FileFault) in
                try Self.copy(spool, to: file)
            }
        }
    }

    private static func copy(_ spool: SpoolFile, to file: borrowing OpenFile) throws(FileFault) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try OpenFile.read(descriptor: spool.descriptor, into: buffer, at: offset)
            if count == 0 { return }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            offset += Int64(count)
        }
    }

    /// Opens the directory, making it where it is missing, and puts it on the disk after `body`.
    private func publish(
        at path: BytePath,
        _ modes: StoreModes,
        _ body: (HeldDirectory, EntryName) throws(FileFault) -> Void
    ) throws(FileFault) {
        let directory = try makeDirectories(path.parent, mode: modes.directory)
        defer { directory.close() }
        try path.lastComponent.withEntryName { (name) throws(FileFault) in try body(directory, name) }
        try directory.synchronize()
    }

    /// Gives a new file its content and its name.
    private func publish(
        _ directory: HeldDirectory,
        _ name: EntryName,
        mode: UInt32,
        _ fill: (borrowing OpenFile) throws(FileFault) -> Void
    ) throws(FileFault) {
        if let file = try directory.createUnnamedFile(mode: 0o600) {
            try fill(file)
            try finish(file, mode: mode)
            try directory.link(unnamed: file.raw, as: name)
        } else {
            try publishByName(directory, name, mode: mode, fill)
        }
    }

    /// What a file has before it has a name.
    private func finish(_ file: borrowing OpenFile, mode: UInt32) throws(FileFault) {
        if let owner { try file.setOwner(owner.user, group: owner.group) }
        try file.setPermissions(mode)
        try file.synchronize()
    }

    static func temporaryName() -> BytePath {
        BytePath(".mediasync-tmp-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
    }

    /// For file systems without files that have no name: a temporary is given the name, which must be free.
    private func publishByName(
        _ directory: HeldDirectory,
        _ name: EntryName,
        mode: UInt32,
        _ fill: (borrowing OpenFile) throws(FileFault) -> Void
    ) throws(FileFault) {
        try Self.temporaryName().withEntryName { (temporary) throws(FileFault) in
            let file = try directory.createFile(temporary, mode: 0o600)
            do throws(FileFault) {
                try fill(file)
                try finish(file, mode: mode)
                try directory.renameWithoutReplacing(temporary, as: name)
            } catch {
                try? directory.removeFile(temporary)
                throw error
            }
        }
    }

    /// Opens a directory, making it and those above it where they are missing; what was made is on the disk.
    private func makeDirectories(_ path: BytePath, mode: UInt32) throws(FileFault) -> HeldDirectory {
        var grown: Set<BytePath> = []
        let directory = try makeDirectories(path, mode: mode, grown: &grown)
        do throws(FileFault) {
            try synchronize(grown)
        } catch {
            directory.close()
            throw error
        }
        return directory
    }

    /// The same, and tells in which ones something was made: they are not yet on the disk.
    private func makeDirectories(
        _ path: BytePath,
        mode: UInt32,
        grown: inout Set<BytePath>
    ) throws(FileFault) -> HeldDirectory {
        do throws(FileFault) {
            return try root.openDirectory(beneath: path)
        } catch  where error.kind == .missing && path != .root {
            let above = try makeDirectories(path.parent, mode: mode, grown: &grown)
            defer { above.close() }
            try path.lastComponent.withEntryName { (name) throws(FileFault) in
                do throws(FileFault) {
                    try above.makeDirectory(name, mode: mode)
                    if let owner {
                        let made = try above.openDirectory(name)
                        defer { made.close() }
                        try made.setOwner(owner.user, group: owner.group)
                    }
                    grown.insert(path.parent)
                } catch  where error.kind == .exists {
                    // Somebody else made it meanwhile.
                }
            }
            return try root.openDirectory(beneath: path)
        }
    }

    // MARK: Removing

    package func remove(_ path: BytePath) throws(FileFault) -> Int64? { try remove(all: [path])[0].get() }

    package func remove(all paths: [BytePath]) -> [Result<Int64?, FileFault>] {
        // Where directories may be left empty: of a row's files the last one empties what they share.
        var emptied: BytePath?
        return paths.indices.map { index in
            let path = paths[index]
            let result = Result { () throws(FileFault) in try removeFile(path) }
            if case .success(_?) = result {
                emptied = path.parent
            } else if (try? tree.removeDirectory(path.parent)) != nil {
                // An earlier run was interrupted between the file and its directories.
                emptied = path.parent.parent
            }
            if let directory = emptied {
                let next = index + 1 < paths.count ? paths[index + 1] : nil
                emptied = removeEmptied(directory, below: next)
            }
            return result
        }
    }

    /// Returns the file's size; nil where there is none.
    private func removeFile(_ path: BytePath) throws(FileFault) -> Int64? {
        let metadata = trash == nil ? try tree.removeFile(path) : try discard(path)
        return metadata.map { $0.kind == .file ? $0.size : 0 }
    }

    /// Moves a file to the trash.
    private func discard(_ path: BytePath) throws(FileFault) -> Metadata? {
        do throws(FileFault) {
            return try root.withParent(of: path) { (directory, name) throws(FileFault) -> Metadata? in
                guard let metadata = try directory.lookUp(name) else { return nil }
                try trash?.keep(name, of: directory, at: path)
                return metadata
            }
        } catch  where error.kind == .missing {
            return nil
        }
    }

    /// Takes another store's file; one that was kept under this path before is replaced.
    private func keep(_ name: EntryName, of directory: HeldDirectory, at path: BytePath) throws(FileFault) {
        if try directory.metadata(of: name).kind == .directory { throw FileFault("renameat", -EISDIR) }
        let place = try makeDirectories(path.parent, mode: 0o700)
        defer { place.close() }
        try directory.rename(name, to: place, as: name)
    }

    /// Removes directories upwards until one has entries. One that cannot be removed is only litter: no error.
    /// - Parameter next: a path that is removed next: what it is in is left for then.
    /// - Returns: where to go on then; nil where something above has entries.
    private func removeEmptied(_ path: BytePath, below next: BytePath?) -> BytePath? {
        var path = path
        while path != .root {
            if let next, next.bytes.count > path.bytes.count, next.bytes[path.bytes.count] == UInt8(ascii: "/"),
                next.bytes.starts(with: path.bytes)
            {
                return path
            }
            do throws(FileFault) { try tree.removeDirectory(path) } catch { return nil }
            path = path.parent
        }
        return nil
    }
}

extension StoreEntry {
    fileprivate init(_ metadata: Metadata) {
        self.init(kind: metadata.kind, size: metadata.size, modificationTime: metadata.modificationTime)
    }
}
