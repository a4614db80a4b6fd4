internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// What all threads of one extraction share.
final class ExtractionContext: Sendable {
    let options: ExtractionOptions
    let run: RunID
    let control: RunControl
    let account: Account
    let root: ExtractionDirectory
    /// Directories that a worker keeps open beside those that files wait in.
    let directoriesKept: Int
    private let host: Host
    private let sink: EventSink
    private let marker: RunMarker
    private let startsEmpty: Bool
    /// Who gets what root makes here: the owner of the media root, who serves it.
    private let owner: (user: UInt32, group: UInt32)?
    private let fileMode: UInt32
    private let directoryMode: UInt32
    /// Cleared when the target's file system was found not to know files without a name.
    private let makesUnnamedFiles = Atomic<Bool>(true)
    private let isMarked = Atomic<Bool>(false)
    /// One of these is held while a file that has its name taken is judged and replaced: of several entries of one name
    /// the newest stays.
    private let replacing: [Lock]

    private final class Lock: Sendable {
        let mutex = Mutex(())
    }

    /// - Parameters:
    ///   - metadata: the root's, whose owner and mode are what everything gets; nil in a dry run without a target.
    ///   - startsEmpty: nothing is in the target that this run did not make.
    init(
        options: ExtractionOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        account: Account,
        sink: @escaping EventSink,
        root: HeldDirectory,
        metadata: Metadata?,
        marker: RunMarker,
        startsEmpty: Bool,
        directoriesKept: Int
    ) {
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.account = account
        self.sink = sink
        self.marker = marker
        self.directoriesKept = directoriesKept
        self.startsEmpty = startsEmpty
        self.root = ExtractionDirectory(root, isNew: startsEmpty, isOwned: false)
        let permissions = metadata?.permissions ?? 0o755
        // The set-group bit is inherited by itself.
        directoryMode = permissions & 0o777 | 0o700
        fileMode = permissions & 0o666 | 0o600
        owner = metadata.flatMap { metadata in
            let isMine = metadata.owner == host.user && metadata.group == host.group
            return host.isRoot && !isMine ? (metadata.owner, metadata.group) : nil
        }
        replacing = (0..<64).map { _ in Lock() }
    }

    // MARK: Making

    /// To be called before every change of the target: the marker must be there first.
    func willChange() throws(FileFault) {
        if isMarked.load(ordering: .acquiring) { return }
        do throws(FileFault) {
            try marker.write()
        } catch {
            var problem = error.syncError("cannot write to the target")
            if problem.code == .item { problem.code = .unusable }
            control.stop(problem)
            throw error
        }
        isMarked.store(true, ordering: .releasing)
    }

    /// Makes a directory with the root's owner and mode, or opens the one that somebody made meanwhile: then another worker did, if
    /// the target was empty.
    func makeDirectory(
        _ name: EntryName,
        in parent: ExtractionDirectory
    ) throws(FileFault) -> (ExtractionDirectory, isMade: Bool) {
        try willChange()
        var isMade = true
        do throws(FileFault) {
            try parent.handle.makeDirectory(name, mode: directoryMode)
        } catch  where error.kind == .exists {
            isMade = false
        }
        let handle = try withPatience(control) { () throws(FileFault) in try parent.handle.openDirectory(name) }
        let directory = ExtractionDirectory(handle, isNew: isMade || startsEmpty)
        if isMade, let owner { try handle.setOwner(owner.user, group: owner.group) }
        return (directory, isMade)
    }

    /// A file to be filled: without a name where the file system can, else under a temporary one.
    func makeFile(
        for entry: ExtractionFile,
        in directory: ExtractionDirectory,
        _ names: TemporaryNamer,
        _ temporary: inout BytePath?
    ) throws(FileFault) -> OpenFile {
        try willChange()
        if makesUnnamedFiles.load(ordering: .relaxed) {
            let unnamed = try withPatience(control) { () throws(FileFault) in
                // Nobody else can open it before it has a name.
                try directory.handle.createUnnamedFile(mode: mode(of: entry))
            }
            if let unnamed { return unnamed }
            makesUnnamedFiles.store(false, ordering: .relaxed)
        }
        let name = names.next()
        temporary = BytePath(name: name)
        return try withPatience(control) { () throws(FileFault) in
            try directory.handle.createFile(name, mode: 0o600)
        }
    }

    /// A file that only its owner may read is hidden from the web on purpose and stays so.
    private func mode(of entry: ExtractionFile) -> UInt32 {
        entry.permissions & 0o077 == 0 ? fileMode & 0o600 : fileMode
    }

    /// Owner before mode, times last.
    func finishAttributes(of file: borrowing OpenFile, _ entry: ExtractionFile) throws(FileFault) {
        if let owner { try file.setOwner(owner.user, group: owner.group) }
        let mode = mode(of: entry)
        // Most have it from the beginning; an access list that the directory hands down may have taken some of it.
        if try file.metadata().permissions != mode { try file.setPermissions(mode) }
        try file.setTimes(access: entry.modified.timestamp, modification: entry.modified.timestamp)
    }

    // MARK: Naming

    /// Gives a finished file its name: a free one, or that of an older file. Whatever has the name is judged at this very
    /// moment.
    func giveName(_ item: ExtractedFile, _ names: TemporaryNamer) throws(FileFault) -> Outcome {
        let handle = item.directory.handle
        return try item.file.path.withLastEntryName { (name) throws(FileFault) -> Outcome in
            if !item.replaces {
                do throws(FileFault) {
                    try link(item, handle, name)
                    return .copied
                } catch  where error.kind == .exists {
                    // Another entry of this name, or another program, was faster.
                }
            }
            let lock = replacing[Int(item.file.path.routeHash % UInt64(replacing.count))]
            return try lock.mutex.withLock { (_) throws(FileFault) -> Outcome in
                switch ExtractionVerdict(item.file, beside: try handle.lookUp(name)) {
                case .keep(let outcome):
                    item.removeTemporary()
                    return outcome
                case .write: try link(item, handle, name)
                case .replace: try replace(item, handle, name, names)
                }
                return .copied
            }
        }
    }

    private func link(_ item: ExtractedFile, _ handle: HeldDirectory, _ name: EntryName) throws(FileFault) {
        guard let temporary = item.temporary else {
            return try handle.link(unnamed: item.descriptor, as: name)
        }
        try temporary.withEntryName { (temporary) throws(FileFault) in
            try handle.renameWithoutReplacing(temporary, as: name)
        }
    }

    private func replace(
        _ item: ExtractedFile,
        _ handle: HeldDirectory,
        _ name: EntryName,
        _ names: TemporaryNamer
    ) throws(FileFault) {
        if let temporary = item.temporary {
            return try temporary.withEntryName { (temporary) throws(FileFault) in
                try handle.rename(temporary, to: handle, as: name)
            }
        }
        // A file without a name replaces nothing: it gets a temporary one for a moment.
        let temporary = names.next()
        try handle.link(unnamed: item.descriptor, as: temporary)
        do throws(FileFault) {
            try handle.rename(temporary, to: handle, as: name)
        } catch {
            try? handle.removeFile(temporary)
            throw error
        }
    }

    // MARK: Outcomes

    func finish(
        _ outcome: Outcome,
        _ kind: EntryKind,
        _ path: @autoclosure () -> BytePath,
        _ tally: Tally,
        bytes: Int64 = 0
    ) {
        tally.add(outcome)
        if bytes > 0 { tally.bytesWritten.add(Int(bytes)) }
        guard outcome.isAlwaysTold || options.reportsEveryItem else { return }
        let isNew =
            switch outcome {
            case .copied, .created, .linked: true
            default: false
            }
        sink(.item(ItemEvent(path: path(), kind: kind, outcome: outcome, changes: isNew ? .new : [], bytes: bytes)))
    }

    /// A failure as an outcome; one that nothing else will survive also stops the run.
    func failure(_ fault: FileFault, _ what: String) -> Outcome {
        let error = fault.syncError(what)
        if error.retry == .abortStage { control.stop(error) }
        return .failed(error)
    }
}

extension BytePath {
    /// The same for everything that belongs to one row: a path without its last two names (style and file). FNV-1a, so that
    /// nothing depends on a seed.
    var routeHash: UInt64 {
        let slash = UInt8(ascii: "/")
        var end = bytes.count
        for _ in 0..<2 { end = bytes[..<end].lastIndex(of: slash) ?? 0 }
        return bytes[..<end].reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
