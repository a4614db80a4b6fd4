internal import Checksums
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// What is there of a large file whose arrival was cut off. The next run finds it by its name, describes it to the sender
/// like an older version of the file, and builds the file from it: what was there is proven by checksums and the digest of
/// the whole, whatever became of either meanwhile.
struct PartialFile: Sendable, Equatable {
    /// In the directory of the file itself.
    let name: BytePath
    let bytes: Int64

    /// Files below this come once more: they are as quickly sent as described.
    static let fileBytesMin: Int64 = 4 << 20
    /// What is kept of one at least.
    static let bytesMin: Int64 = 1 << 20
    /// Runs that died in a target, of which partial files are looked for.
    static let runsMax = 8

    /// The temporary of a file that is worth going on with: the run, and a digest of the file's name.
    static func name(of file: BytePath, run: RunID) -> BytePath {
        let sum = file.bytes.withUnsafeBytes { StreamingDigest(.xxh3).digest(of: $0) }
        let number = sum.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return BytePath("\(TemporaryName.prefix)\(run.text)-0.0.\(number)")
    }

    /// The longest that dead runs left of a file; the shorter ones are removed.
    static func find(of file: BytePath, in directory: HeldDirectory, _ runs: [RunID]) -> PartialFile? {
        var found: PartialFile?
        for run in runs.suffix(runsMax) {
            let name = name(of: file, run: run)
            // With a second name it was planted, and its content is somebody else's.
            guard let metadata = name.withEntryName({ try? directory.lookUp($0) }), metadata.kind == .file,
                metadata.linkCount == 1
            else { continue }
            let partial = PartialFile(name: name, bytes: metadata.size)
            if partial.bytes < bytesMin || partial.bytes <= found?.bytes ?? 0 {
                partial.remove(from: directory)
            } else {
                found?.remove(from: directory)
                found = partial
            }
        }
        return found
    }

    func remove(from directory: HeldDirectory) {
        name.withEntryName { try? directory.removeFile($0) }
    }
}

/// Decides what stays of a file that did not come to its end.
struct PartialKeeper: Sendable {
    let context: CopyContext
    /// What a dead run left of it.
    let older: PartialFile?

    /// Whether a file of so many bytes stays under its temporary name. Where the older part has more, that one does.
    func keeps(_ bytes: Int64, in directory: HeldDirectory) -> Bool {
        guard context.keepsPartialFiles, bytes >= PartialFile.bytesMin else { return false }
        if let older {
            if older.bytes > bytes { return false }
            older.remove(from: directory)
        }
        context.hasPartialFiles.store(true, ordering: .relaxed)
        return true
    }
}

extension CopyContext {
    /// A run that is stopped leaves them for the next one; not where there is no room, or where nothing is wrong but the file.
    var keepsPartialFiles: Bool { control.shouldStop && control.stopReason?.code != .exhausted }

    /// A directory has a partial file that a dead run left: it goes at the end, when whoever needs it has used it.
    func note(partialFile name: BytePath, in node: DirectoryNode) {
        partialFiles.withLock { files in
            // More than any run has at work.
            if files.count < 4096 { files.append((node, name)) }
        }
    }
}

extension CopyVisitor {
    /// Removes what dead runs left of large files and nobody needs any more.
    func removePartialFiles(_ worker: CopyWorker) {
        for (node, name) in context.partialFiles.withLock({ $0 }) where !context.control.shouldStop {
            withReopened(node, worker) { name.withEntryName { try? node.target.removeFile($0) } }
        }
    }
}
