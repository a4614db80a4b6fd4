package import MediaModel

/// Where media files lie, named by their paths below its root. All calls block: they belong on threads of our own. Every
/// store passes the same suite of tests.
package protocol MediaStore: Sendable {
    /// What has this name; nil where nothing has. A link is told as a link.
    func look(_ path: BytePath) throws(FileFault) -> StoreEntry?

    /// The same for many paths, in their order: cheaper than one by one where they are near each other.
    func look(all paths: PathList) -> [Result<StoreEntry?, FileFault>]

    /// Tells every entry of a directory, in no order; an error where it is none.
    func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault)

    /// The content of a file, at most `limit` bytes of it.
    func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8]

    /// Opens a file for reading; it must be one.
    func open(_ path: BytePath) throws(FileFault) -> OpenFile

    /// Gives a new file its name, whole and on the disk; directories are made where they are missing. The name must be
    /// free: nothing is ever replaced.
    func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault)

    /// A new file without a name, where `publish` can give it one.
    func makeSpool() throws(FileFault) -> SpoolFile

    /// Gives a file that `makeSpool` made its name, whole and on the disk; directories are made where they are missing.
    /// The name must be free. It is published once.
    func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault)

    /// The same for files that belong together, in their order: what they share is put on the disk once. Where it fails some
    /// have their names.
    /// - Parameter named: called whenever one has got its name.
    func publish(all files: [SpooledFile], modes: StoreModes, named: () -> Void) throws(FileFault)

    /// Removes a file and then the directories above it that it was the last entry of, but never the root. Returns the
    /// file's size; nil where nothing had this name.
    func remove(_ path: BytePath) throws(FileFault) -> Int64?

    /// The same for many paths, in their order: cheaper than one by one where they are near each other.
    func remove(all paths: [BytePath]) -> [Result<Int64?, FileFault>]
}

extension MediaStore {
    package func publish(all files: [SpooledFile], modes: StoreModes, named: () -> Void) throws(FileFault) {
        for file in files {
            try publish(file.spool, at: file.path, modes: modes)
            named()
        }
    }

    package func look(all paths: PathList) -> [Result<StoreEntry?, FileFault>] {
        (0..<paths.count).map { index in Result { () throws(FileFault) in try look(paths[index]) } }
    }

    package func remove(all paths: [BytePath]) -> [Result<Int64?, FileFault>] {
        paths.map { path in Result { () throws(FileFault) in try remove(path) } }
    }
}

/// A file that has no name yet, and the one it is to have.
package struct SpooledFile: Sendable {
    package let spool: SpoolFile
    package let path: BytePath

    package init(_ spool: SpoolFile, at path: BytePath) {
        self.spool = spool
        self.path = path
    }
}

/// What a store tells of an entry.
package struct StoreEntry: Sendable, Equatable {
    /// Nil where the system has kinds that are not known here.
    package var kind: EntryKind?
    /// Bytes, of a file.
    package var size: Int64
    package var modificationTime: Timestamp

    package init(kind: EntryKind?, size: Int64, modificationTime: Timestamp) {
        self.kind = kind
        self.size = size
        self.modificationTime = modificationTime
    }
}

/// The permissions of new files and directories. They carry meaning in a media store: a file that its owner alone may
/// read is hidden from the web.
package struct StoreModes: Sendable, Equatable {
    package var file: UInt32
    package var directory: UInt32

    package init(file: UInt32 = 0o644, directory: UInt32 = 0o755) {
        self.file = file
        self.directory = directory
    }
}

extension BytePath {
    /// The directory a path is in; the root for a single name.
    package var parent: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return BytePath(bytes: Array(bytes[..<slash]))
    }
}
