internal import MediaModel
internal import Running
internal import Storage

/// What a worker is handed.
enum ExtractionPiece: Sendable {
    /// A whole file.
    case file(ExtractionFile, [UInt8])
    /// A large file: its beginning, its pieces in their order, its end; or the news that it does not come any more.
    case begin(ExtractionFile)
    case part(offset: Int64, [UInt8])
    case end
    case cut(SyncError)
}

/// A file under construction, closed with its owner unless it was given away. One owner: a worker.
private final class OpenedFile {
    let entry: ExtractionFile
    let directory: ExtractionDirectory
    let temporary: BytePath?
    let replaces: Bool
    let descriptor: Int32
    private var isGivenAway = false

    init(
        _ entry: ExtractionFile,
        in directory: ExtractionDirectory,
        _ file: consuming OpenFile,
        temporary: BytePath?,
        replaces: Bool
    ) {
        self.entry = entry
        self.directory = directory
        self.temporary = temporary
        self.replaces = replaces
        descriptor = file.detach()
    }

    deinit {
        if !isGivenAway { _ = OpenFile(raw: descriptor) }
    }

    /// The whole file, whose descriptor is somebody else's to close from here on.
    func giveAway() -> ExtractedFile {
        isGivenAway = true
        return ExtractedFile(
            file: entry,
            directory: directory,
            descriptor: descriptor,
            temporary: temporary,
            replaces: replaces
        )
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(FileFault) {
        let fault = bytes.withUnsafeBytes { bytes -> FileFault? in
            do throws(FileFault) {
                try OpenFile.write(descriptor: descriptor, bytes, at: offset)
                return nil
            } catch { return error }
        }
        if let fault { throw fault }
    }

    /// Sets its size, which may end in a hole, and its attributes.
    func finish(_ context: ExtractionContext, truncates: Bool) throws(FileFault) {
        let file = OpenFile(raw: descriptor)
        let result = Result { () throws(FileFault) in
            if truncates { try file.truncate(to: entry.size) }
            try context.finishAttributes(of: file, entry)
        }
        _ = file.detach()
        try result.get()
    }

    func removeTemporary() {
        temporary?.withEntryName { try? directory.handle.removeFile($0) }
    }
}

/// One thread's hands: makes directories, fills files, and hands them to the publisher. All entries of one directory come
/// to one worker, in the archive's order.
final class ExtractionWorker {
    let tally: Tally
    private let context: ExtractionContext
    private let publisher: ExtractionPublisher?
    private let names: TemporaryNamer
    private var way: ExtractionWay
    /// The large file at hand; nil also where it failed and its pieces are passed over.
    private var large: OpenedFile?

    init(context: ExtractionContext, index: Int, publisher: ExtractionPublisher?) {
        self.context = context
        self.publisher = publisher
        names = TemporaryNamer(run: context.run, thread: index)
        tally = context.account.makeTally()
        way = Self.way(context)
    }

    private static func way(_ context: ExtractionContext) -> ExtractionWay {
        ExtractionWay(from: context.root, stepsMax: context.directoriesKept)
    }

    func take(_ piece: ExtractionPiece) {
        switch piece {
        case .file(let entry, let bytes): place(entry, bytes)
        case .begin(let entry): large = open(entry)
        case .part(let offset, let bytes): write(bytes, at: offset)
        case .end: finishLarge()
        case .cut(let error): giveUp(error)
        }
    }

    /// The end of the queue: nothing half-written stays.
    func close() {
        large?.removeTemporary()
        large = nil
        way = Self.way(context)
    }

    // MARK: Files

    private func place(_ entry: ExtractionFile, _ bytes: [UInt8]) {
        guard let opened = open(entry) else { return }
        do throws(FileFault) {
            try opened.write(bytes, at: 0)
            try opened.finish(context, truncates: false)
        } catch { return fail(opened, error) }
        publish(opened)
    }

    private func write(_ bytes: [UInt8], at offset: Int64) {
        guard let opened = large else { return }
        do throws(FileFault) { try opened.write(bytes, at: offset) } catch {
            large = nil
            fail(opened, error)
        }
    }

    private func finishLarge() {
        guard let opened = large else { return }
        large = nil
        do throws(FileFault) { try opened.finish(context, truncates: true) } catch { return fail(opened, error) }
        publish(opened)
    }

    private func giveUp(_ error: SyncError) {
        guard let opened = large else { return }
        large = nil
        opened.removeTemporary()
        let what = "\(opened.entry.path) was not extracted"
        context.finish(.failed(SyncError(.item, what, why: error.description)), .file, opened.entry.path, tally)
    }

    private func publish(_ opened: OpenedFile) {
        let item = opened.giveAway()
        if let publisher { return publisher.offer(item) }
        ExtractionPublisher.publish(item, context, names, tally, nil)
    }

    private func fail(_ opened: OpenedFile, _ fault: FileFault) {
        opened.removeTemporary()
        fail(fault, "could not write \(opened.entry.path)", opened.entry)
    }

    /// Looks at what the target has and makes the file that will replace it or take its place; nil where nothing is to be
    /// written, and the outcome is on the account.
    private func open(_ entry: ExtractionFile) -> OpenedFile? {
        if context.options.dryRun {
            lookOnly(entry)
            return nil
        }
        do throws(FileFault) {
            let directory = try directory(of: entry.path)
            var replaces = false
            if !directory.isNew {
                let existing = try entry.path.withLastEntryName { (name) throws(FileFault) in
                    try directory.handle.lookUp(name)
                }
                switch ExtractionVerdict(entry, beside: existing) {
                case .write: break
                case .replace: replaces = true
                case .keep(let outcome):
                    context.finish(outcome, .file, entry.path, tally)
                    return nil
                }
            }
            var temporary: BytePath?
            let file = try context.makeFile(for: entry, in: directory, names, &temporary)
            return OpenedFile(entry, in: directory, file, temporary: temporary, replaces: replaces)
        } catch {
            fail(error, "could not create \(entry.path)", entry)
            return nil
        }
    }

    private func lookOnly(_ entry: ExtractionFile) {
        var existing: Metadata?
        do throws(FileFault) {
            if context.root.handle.isOpen {
                existing = try context.root.handle.withParent(of: entry.path) { (parent, name) throws(FileFault) in
                    try parent.lookUp(name)
                }
            }
        } catch  where error.kind == .missing {
        } catch { return fail(error, "could not look at \(entry.path)", entry) }
        switch ExtractionVerdict(entry, beside: existing) {
        case .write, .replace: context.finish(.copied, .file, entry.path, tally, bytes: entry.size)
        case .keep(let outcome): context.finish(outcome, .file, entry.path, tally)
        }
    }

    private func fail(_ fault: FileFault, _ what: String, _ entry: ExtractionFile) {
        context.finish(context.failure(fault, what), .file, entry.path, tally)
    }

    // MARK: Directories

    /// Opens the directory of a file, making it and those above it where they are missing. No link is followed anywhere.
    private func directory(of path: BytePath) throws(FileFault) -> ExtractionDirectory {
        let slash = UInt8(ascii: "/")
        let whole = path.bytes[..<(path.bytes.lastIndex(of: slash) ?? 0)]
        var (directory, end) = way.nearest(to: whole)
        if end == whole.endIndex { return directory }
        // In a directory that was just made there is nothing to be opened; in others most often all that is needed.
        if !directory.isNew, let existing = try existing(whole) {
            way.enter(existing, at: whole)
            return existing
        }
        while end < whole.endIndex {
            let start = end == 0 ? 0 : end + 1
            end = whole[start...].firstIndex(of: slash) ?? whole.endIndex
            directory = try enter(whole[start..<end], of: whole[..<end], in: directory)
        }
        return directory
    }

    /// Goes one level down: to what is there, or to a directory that is made now.
    private func enter(
        _ name: ArraySlice<UInt8>,
        of path: ArraySlice<UInt8>,
        in above: ExtractionDirectory
    ) throws(FileFault) -> ExtractionDirectory {
        let directory = try name.withEntryName { (entry) throws(FileFault) -> ExtractionDirectory in
            // Opening asks less of the kernel than making what is there: directories above are everybody's.
            if !above.isNew, let existing = try existing(entry, in: above) { return existing }
            let (directory, isMade) = try context.makeDirectory(entry, in: above)
            if isMade {
                tally.seen.add()
                tally.directories.add()
                context.finish(.created, .directory, BytePath(bytes: Array(path)), tally)
            }
            return directory
        }
        way.enter(directory, at: path)
        return directory
    }

    /// A directory that is there already, by one call however deep it lies.
    private func existing(_ path: ArraySlice<UInt8>) throws(FileFault) -> ExtractionDirectory? {
        do throws(FileFault) {
            let handle = try withPatience(context.control) { () throws(FileFault) in
                try context.root.handle.openDirectory(beneath: BytePath(bytes: Array(path)))
            }
            return ExtractionDirectory(handle, isNew: false)
        } catch  where error.kind == .missing { return nil }
    }

    private func existing(
        _ name: EntryName,
        in parent: ExtractionDirectory
    ) throws(FileFault) -> ExtractionDirectory? {
        do throws(FileFault) {
            let handle = try withPatience(context.control) { () throws(FileFault) in
                try parent.handle.openDirectory(name)
            }
            return ExtractionDirectory(handle, isNew: false)
        } catch  where error.kind == .missing { return nil }
    }

    // MARK: Hard links

    /// Makes a further name of a file that is in place.
    func link(_ path: BytePath, to original: BytePath) {
        do throws(FileFault) {
            let source = try context.root.handle.openDirectory(beneath: original.parent)
            defer { source.close() }
            let outcome = try original.lastComponent.withEntryName { (first) throws(FileFault) -> Outcome? in
                guard let metadata = try source.lookUp(first), metadata.kind == .file else {
                    return .failed(Self.lost(path, original))
                }
                return try link(path, to: metadata, first, source)
            }
            if let outcome { context.finish(outcome, .file, path, tally) }
        } catch  where error.kind == .missing {
            context.finish(.failed(Self.lost(path, original)), .file, path, tally)
        } catch {
            context.finish(context.failure(error, "could not link \(path)"), .file, path, tally)
        }
    }

    private static func lost(_ path: BytePath, _ original: BytePath) -> SyncError {
        SyncError(.item, "could not link \(path)", why: "\(original), which it is another name of, is not there")
    }

    /// Nil where the account has it already.
    private func link(
        _ path: BytePath,
        to metadata: Metadata,
        _ first: EntryName,
        _ source: HeldDirectory
    ) throws(FileFault) -> Outcome? {
        let entry = ExtractionFile(
            path: path,
            size: metadata.size,
            permissions: metadata.permissions,
            modified: ArchiveTime(metadata.modificationTime)
        )
        if context.options.dryRun {
            lookOnly(entry)
            return nil
        }
        let directory = try directory(of: path)
        return try path.withLastEntryName { (name) throws(FileFault) -> Outcome? in
            let existing = try directory.handle.lookUp(name)
            if existing?.identity == metadata.identity { return .unchanged }
            if case .keep(let outcome) = ExtractionVerdict(entry, beside: existing) { return outcome }
            try context.willChange()
            let temporary = names.next()
            do throws(FileFault) {
                try source.link(first, to: directory.handle, as: existing == nil ? name : temporary)
            } catch  where error.kind != .exists && error.kind != .noSpace {
                // Too many names, or another file system: a file of its own with the same content.
                place(entry, try Self.content(of: first, in: source, metadata.size))
                return nil
            }
            if existing != nil { try directory.handle.rename(temporary, to: directory.handle, as: name) }
            return .linked
        }
    }

    /// - Parameter size: media files are some megabytes; what is larger than a gigabyte is not linked in vain.
    private static func content(
        of name: EntryName,
        in directory: HeldDirectory,
        _ size: Int64
    ) throws(FileFault) -> [UInt8] {
        let file = try directory.openFile(name)
        var bytes = [UInt8](repeating: 0, count: Int(min(size, 1 << 30)))
        let count = try file.readFully(into: &bytes)
        return Array(bytes.prefix(count))
    }
}
