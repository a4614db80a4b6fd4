internal import CLinux
internal import Glibc
package import MediaModel
internal import Synchronization

/// A store in memory, for tests of what works on stores. It keeps the rules of the local one: directories are there while
/// they have entries, names are free or taken.
package final class MemoryMediaStore: MediaStore {
    private struct File {
        var contents: [UInt8]
        var modificationTime: Timestamp
    }

    private struct Tree {
        var files: [BytePath: File] = [:]
        /// Directories that are kept although nothing is in them, or were made.
        var directories: Set<BytePath> = [.root]
    }

    private let tree = Mutex(Tree())

    package init() {}

    /// Adds a file as somebody else would have, at a moment of the caller's choice.
    package func add(_ path: BytePath, _ contents: [UInt8], at moment: Timestamp) {
        tree.withLock { tree in
            tree.files[path] = File(contents: contents, modificationTime: moment)
            Self.addParents(of: path, to: &tree)
        }
    }

    /// Every file's path, in order.
    package var paths: [BytePath] { tree.withLock { $0.files.keys.sorted() } }

    package func look(_ path: BytePath) throws(FileFault) -> StoreEntry? {
        let (entry, isBelowFile) = tree.withLock { tree -> (StoreEntry?, Bool) in
            if let file = tree.files[path] {
                let size = Int64(file.contents.count)
                return (StoreEntry(kind: .file, size: size, modificationTime: file.modificationTime), false)
            }
            if tree.directories.contains(path) {
                let never = Timestamp(seconds: 0, nanoseconds: 0)
                return (StoreEntry(kind: .directory, size: 0, modificationTime: never), false)
            }
            return (nil, Self.isBelowFile(path, tree))
        }
        if isBelowFile { throw FileFault("openat2", -ENOTDIR) }
        return entry
    }

    package func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        let found = tree.withLock { tree -> [(BytePath, EntryKind)]? in
            guard tree.directories.contains(directory) else { return nil }
            let files = tree.files.keys.filter { $0.parent == directory }.map { ($0.lastComponent, EntryKind.file) }
            let inner = tree.directories.filter { $0 != .root && $0.parent == directory }
            return files + inner.map { ($0.lastComponent, EntryKind.directory) }
        }
        guard let found else {
            let isFile = tree.withLock { $0.files[directory] != nil || Self.isBelowFile(directory, $0) }
            throw FileFault("openat2", isFile ? -ENOTDIR : -ENOENT)
        }
        for (name, kind) in found { body(name, kind) }
    }

    package func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        let (contents, isDirectory) = tree.withLock { ($0.files[path]?.contents, $0.directories.contains(path)) }
        if let contents { return Array(contents.prefix(limit)) }
        throw FileFault("openat", isDirectory ? -EISDIR : -ENOENT)
    }

    package func open(_ path: BytePath) throws(FileFault) -> OpenFile {
        let contents = try contents(of: path, limit: Int.max)
        let file = OpenFile(raw: try check("memfd_create", mds_memory_file()))
        try file.write(contents, at: 0)
        return file
    }

    package func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        let fault = tree.withLock { tree -> FileFault? in
            if tree.files[path] != nil || tree.directories.contains(path) { return FileFault("linkat", -EEXIST) }
            if Self.isBelowFile(path, tree) { return FileFault("openat2", -ENOTDIR) }
            tree.files[path] = File(contents: contents, modificationTime: Host.wallClock())
            Self.addParents(of: path, to: &tree)
            return nil
        }
        if let fault { throw fault }
    }

    package func makeSpool() throws(FileFault) -> SpoolFile {
        SpoolFile(owning: try check("memfd_create", mds_memory_file()))
    }

    package func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        var contents = [UInt8](repeating: 0, count: Int(try spool.size()))
        let (count, fault) = contents.withUnsafeMutableBytes { buffer -> (Int, FileFault?) in
            do throws(FileFault) {
                return (try OpenFile.read(descriptor: spool.descriptor, into: buffer, at: 0), nil)
            } catch { return (0, error) }
        }
        if let fault { throw fault }
        try publish(Array(contents.prefix(count)), at: path, modes: modes)
    }

    package func remove(_ path: BytePath) throws(FileFault) -> Int64? {
        let (size, number) = tree.withLock { tree -> (Int64?, Int32) in
            if tree.directories.contains(path) { return (nil, EISDIR) }
            guard let file = tree.files.removeValue(forKey: path) else {
                return (nil, Self.isBelowFile(path, tree) ? ENOTDIR : 0)
            }
            var directory = path.parent
            while directory != .root, Self.isEmpty(directory, tree) {
                tree.directories.remove(directory)
                directory = directory.parent
            }
            return (Int64(file.contents.count), 0)
        }
        if number != 0 { throw FileFault("unlinkat", -number) }
        return size
    }

    private static func addParents(of path: BytePath, to tree: inout Tree) {
        var directory = path.parent
        while tree.directories.insert(directory).inserted { directory = directory.parent }
    }

    private static func isEmpty(_ directory: BytePath, _ tree: Tree) -> Bool {
        !tree.files.keys.contains { $0.parent == directory }
            && !tree.directories.contains { $0 != .root && $0.parent == directory }
    }

    private static func isBelowFile(_ path: BytePath, _ tree: Tree) -> Bool {
        var above = path.parent
        while above != .root {
            if tree.files[above] != nil { return true }
            above = above.parent
        }
        return false
    }
}
