internal import MediaModel
internal import Storage

/// Files of an export's directory, reached by their names in it: links are never followed.
extension HeldDirectory {
    /// A file's metadata; nil where there is none. Anything else of this name is an error.
    func regularFile(_ name: BytePath) throws(SyncError) -> Metadata? {
        let metadata: Metadata?
        do throws(FileFault) {
            metadata = try name.withEntryName { (name) throws(FileFault) in try lookUp(name) }
        } catch {
            throw error.syncError("could not look at \(name)")
        }
        guard let metadata else { return nil }
        if metadata.kind == .file { return metadata }
        throw SyncError(
            .unusable,
            "\(name) is no file",
            why: "it is a \(metadata.kind?.name ?? "strange entry")",
            hint: "links are not followed: copy what it points to here"
        )
    }

    /// A small file's content; nil where there is none.
    /// - Parameter limit: more bytes are an error.
    func smallFile(_ name: BytePath, limit: Int = BackupLayout.smallBytesMax) throws(SyncError) -> [UInt8]? {
        guard let metadata = try regularFile(name) else { return nil }
        if metadata.size > limit {
            let why = "\(ByteCount.describe(metadata.size)), more than \(ByteCount.describe(Int64(limit)))"
            throw SyncError(.unusable, "\(name) is too large", why: why)
        }
        do throws(FileFault) {
            return try name.withEntryName { (name) throws(FileFault) -> [UInt8] in
                let file = try openFile(name)
                var bytes = [UInt8](repeating: 0, count: Int(metadata.size))
                let count = try file.readFully(into: &bytes)
                return Array(bytes.prefix(count))
            }
        } catch {
            throw error.syncError("could not read \(name)")
        }
    }

    /// The names in a directory, sorted.
    /// - Parameter limit: more names are an error.
    func names(limit: Int) throws(SyncError) -> [BytePath] {
        var names: [BytePath] = []
        let listing = ListingBuffer()
        do throws(FileFault) {
            try rewind()
            while try list(into: listing) > 0 {
                var cursor = 0
                while let entry = listing.next(&cursor) { names.append(BytePath(name: entry.name)) }
                if names.count > limit { break }
            }
        } catch {
            throw error.syncError("could not list a directory of the export")
        }
        if names.count > limit {
            throw SyncError(.unusable, "a directory of the export has too many entries", why: "more than \(limit)")
        }
        return names.sorted()
    }

    /// Makes a new file, fills it, and puts it on the disk.
    func writeFile(
        _ name: BytePath,
        _ fill: (borrowing OpenFile) throws(SyncError) -> Void
    ) throws(SyncError) {
        let file = try makeFile(name)
        try fill(file)
        try finish(file, name)
    }

    func writeFile(_ name: BytePath, _ bytes: [UInt8]) throws(SyncError) {
        try writeFile(name) { (file) throws(SyncError) in
            do throws(FileFault) { try file.write(bytes, at: 0) } catch {
                throw error.syncError("could not write \(name)")
            }
        }
    }

    func makeFile(_ name: BytePath) throws(SyncError) -> OpenFile {
        do throws(FileFault) {
            return try name.withEntryName { (name) throws(FileFault) in
                try createFile(name, mode: BackupLayout.fileMode)
            }
        } catch {
            throw error.syncError("could not create \(name)")
        }
    }

    func finish(_ file: borrowing OpenFile, _ name: BytePath) throws(SyncError) {
        do throws(FileFault) { try file.synchronize() } catch {
            throw error.syncError("could not write \(name) to the disk")
        }
    }

    /// Opens a directory in this one; nil where there is none.
    func directory(_ name: BytePath) throws(SyncError) -> HeldDirectory? {
        do throws(FileFault) {
            return try name.withEntryName { (name) throws(FileFault) in try openDirectory(name) }
        } catch {
            if error.kind == .missing { return nil }
            if error.kind == .wrongKind {
                throw SyncError(.unusable, "\(name) is no directory", why: error.reason, hint: "links are not followed")
            }
            throw error.syncError("could not open \(name)")
        }
    }
}
