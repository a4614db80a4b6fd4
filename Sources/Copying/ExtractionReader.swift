internal import Archives
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Reads an archive from one end to the other, judges every entry by its name and kind, and hands files to the workers. One
/// owner, on one thread: everything that is decompressed passes here.
final class ExtractionReader {
    /// A further name of a file, made when all files are in place.
    struct Link: Sendable {
        let path: BytePath
        let original: BytePath
    }

    private(set) var links: [Link] = []
    private let tar: TarReader
    private let context: ExtractionContext
    private let tally: Tally
    private let queues: [BoundedQueue<[ExtractionPiece]>]
    private var batches: [[ExtractionPiece]]
    private var batchBytes: [Int]
    private var level = ArchiveLevel()
    private var entries = 0
    /// Files from before it was known where the media tree begins.
    private var held: [(entry: TarEntry, path: BytePath, content: [UInt8])] = []
    private var heldBytes = 0

    /// - Parameter queues: one a worker.
    init(_ tar: TarReader, _ context: ExtractionContext, queues: [BoundedQueue<[ExtractionPiece]>]) {
        self.tar = tar
        self.context = context
        self.queues = queues
        tally = context.account.makeTally()
        batches = queues.map { _ in [] }
        batchBytes = queues.map { _ in 0 }
    }

    /// Reads to the end, or until the run is stopped.
    func run() throws(SyncError) {
        defer { for index in queues.indices { flush(index) } }
        while !context.control.shouldStop, let entry = try tar.next() {
            entries += 1
            if entries > ExtractionLimits.entries {
                throw SyncError(
                    .refused,
                    "the archive has too many entries",
                    why: "more than \(ExtractionLimits.entries)"
                )
            }
            try take(entry)
        }
        if level.prefix == nil, !context.control.shouldStop { throw Self.noMedia }
    }

    private static let noMedia = SyncError(
        .unusable,
        "the archive holds no media of Mastodon",
        why: "no path in it leads to accounts/avatars, media_attachments/files, cache/accounts or the like",
        hint: "name an archive of public/system, of the snap's media, or of a directory above them; nothing was changed"
    )

    // MARK: Entries

    private func take(_ entry: TarEntry) throws(SyncError) {
        let path: BytePath
        do throws(ArchivePath.Refusal) {
            path = try ArchivePath.checked(entry.path)
        } catch {
            return refuse(entry.path, error.rawValue)
        }
        let place = level.place(of: path)
        // Directories are made when a file needs them; Mastodon removes empty ones.
        if entry.kind == .directory { return releaseHeld(at: place) }
        switch place {
        case .unknown: return try hold(entry, path)
        case .inside, .outside, .above:
            releaseHeld(at: place)
            try take(entry, path, place)
        }
    }

    /// Files that came too early are judged once the level is known.
    private func releaseHeld(at place: ArchiveLevel.Place) {
        guard place != .unknown, !held.isEmpty else { return }
        for early in held {
            guard let path = judged(early.entry, early.path, level.place(of: early.path)) else { continue }
            send(file(early.entry, path), early.content)
        }
        held = []
    }

    private func hold(_ entry: TarEntry, _ path: BytePath) throws(SyncError) {
        let isFile = entry.kind == .file
        if isFile { heldBytes += Int(min(max(0, entry.size), Int64(ExtractionLimits.heldBytes) + 1)) }
        if held.count >= ExtractionLimits.heldEntries || heldBytes > ExtractionLimits.heldBytes { throw Self.noMedia }
        held.append((entry, path, isFile ? try whole(entry) : []))
    }

    private func take(_ entry: TarEntry, _ path: BytePath, _ place: ArchiveLevel.Place) throws(SyncError) {
        guard let path = judged(entry, path, place) else { return }
        let file = file(entry, path)
        if entry.size <= ExtractionLimits.wholeBytes {
            do throws(SyncError) {
                send(file, try whole(entry))
            } catch {
                // It was seen and is not in place.
                finish(.failed(SyncError(.item, "\(path) was not extracted", why: error.description)), path)
                throw error
            }
        } else {
            try stream(file)
        }
    }

    /// The path below the media root of a file that is to be extracted; nil where its outcome is on the account.
    private func judged(_ entry: TarEntry, _ path: BytePath, _ place: ArchiveLevel.Place) -> BytePath? {
        guard case .inside(let inside) = place else {
            let tree = BytePath(bytes: level.prefix ?? [])
            refuse(path, "it lies outside of \(tree), where the media of this archive are")
            return nil
        }
        switch entry.kind {
        case .symlink: refuse(inside, "it is a symbolic link, which no media are")
        case .special: refuse(inside, "it is a device, fifo or socket")
        case .directory: preconditionFailure("directories are no files")
        case .hardLink(let original): keepLink(inside, to: original)
        case .file:
            if ArchivePath.isOwn(inside) {
                see()
                finish(.skipped(.temporary), inside)
            } else if isLeftOut(inside) {
                see()
                finish(.skipped(.excluded), inside)
            } else if !(0...ExtractionLimits.fileBytes).contains(entry.size) {
                refuse(inside, "its size is \(entry.size) bytes")
            } else {
                see()
                tally.bytesSeen.add(Int(entry.size))
                return inside
            }
        }
        return nil
    }

    private func isLeftOut(_ path: BytePath) -> Bool {
        guard let half = context.options.half else { return false }
        let isCache = path.bytes.starts(with: MediaLayout.cacheFolder.bytes + [UInt8(ascii: "/")])
        return isCache != (half == .remote)
    }

    private func keepLink(_ path: BytePath, to original: BytePath) {
        guard let checked = try? ArchivePath.checked(original), case .inside(let first) = level.place(of: checked)
        else {
            return refuse(path, "it is another name of \(original), which does not lie among the media")
        }
        if ArchivePath.isOwn(path) || isLeftOut(path) || isLeftOut(first) {
            see()
            return finish(.skipped(.excluded), path)
        }
        if links.count >= ExtractionLimits.links { return refuse(path, "the archive has too many hard links") }
        see()
        links.append(Link(path: path, original: first))
    }

    private func file(_ entry: TarEntry, _ path: BytePath) -> ExtractionFile {
        ExtractionFile(
            path: path,
            size: entry.size,
            permissions: entry.permissions,
            modified: ArchiveTime(seconds: entry.modificationSeconds, nanoseconds: entry.modificationNanoseconds)
        )
    }

    // MARK: Contents

    /// All bytes of a small file, holes filled.
    private func whole(_ entry: TarEntry) throws(SyncError) -> [UInt8] {
        let size = Int(clamping: max(0, entry.size))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        while let piece = try tar.content() {
            try Self.check(piece, notBefore: Int64(bytes.count), size: Int64(size))
            if piece.offset > bytes.count { fill(&bytes, to: Int(piece.offset)) }
            bytes.append(contentsOf: piece.bytes)
        }
        if bytes.count < size { fill(&bytes, to: size) }
        return bytes
    }

    private func fill(_ bytes: inout [UInt8], to count: Int) {
        bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
    }

    private func stream(_ file: ExtractionFile) throws(SyncError) {
        let worker = worker(for: file.path)
        add(.begin(file), bytes: 0, to: worker)
        var end: Int64 = 0
        do throws(SyncError) {
            while let piece = try tar.content() {
                if let reason = context.control.stopReason { throw reason }
                try Self.check(piece, notBefore: end, size: file.size)
                end = piece.offset + Int64(piece.bytes.count)
                add(.part(offset: piece.offset, Array(piece.bytes)), bytes: piece.bytes.count, to: worker)
            }
            add(.end, bytes: 0, to: worker)
        } catch {
            add(.cut(error), bytes: 0, to: worker)
            throw error
        }
    }

    /// Sparse files say themselves where their pieces belong.
    private static func check(_ piece: TarReader.Piece, notBefore start: Int64, size: Int64) throws(SyncError) {
        let (end, overflows) = piece.offset.addingReportingOverflow(Int64(piece.bytes.count))
        if piece.offset >= start, !overflows, end <= size { return }
        throw SyncError(.unusable, "the archive is broken", why: "a file's content does not fit its size")
    }

    // MARK: Handing over

    private func worker(for path: BytePath) -> Int { Int(path.routeHash % UInt64(queues.count)) }

    private func send(_ file: ExtractionFile, _ content: [UInt8]) {
        add(.file(file, content), bytes: content.count, to: worker(for: file.path))
    }

    private func add(_ piece: ExtractionPiece, bytes: Int, to worker: Int) {
        batches[worker].append(piece)
        batchBytes[worker] += bytes
        if batchBytes[worker] >= ExtractionLimits.batchBytes || batches[worker].count >= ExtractionLimits.batchEntries {
            flush(worker)
        }
    }

    private func flush(_ worker: Int) {
        if !batches[worker].isEmpty { _ = queues[worker].offer(batches[worker]) }
        batches[worker] = []
        batchBytes[worker] = 0
    }

    // MARK: Accounting

    private func see() {
        tally.seen.add()
        tally.files.add()
    }

    private func refuse(_ path: BytePath, _ why: String) {
        see()
        finish(.failed(SyncError(.item, "\(path) was not extracted", why: why)), path)
    }

    private func finish(_ outcome: Outcome, _ path: BytePath) {
        context.finish(outcome, .file, path, tally)
    }
}
