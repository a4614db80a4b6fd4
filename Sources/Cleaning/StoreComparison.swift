internal import Catalog
internal import MediaModel
internal import Running
internal import Storage

/// One worker's part of the comparison of rows and files. Made once for each thread, so that its lists are.
struct StoreComparison {
    /// What is looked at together: a part of a page, which is not copied.
    struct Batch: Sendable {
        let page: MediaPage
        let range: Range<Int>
    }

    let store: any MediaStore
    let decoding: StoreDecoding?
    let checksTypes: Bool
    let reportsEveryItem: Bool
    let control: RunControl
    let report: StoreReport

    private var writer = MediaPathWriter()
    private var paths = PathList()
    /// Of each path, what names it, by indices: a copy of that for each would count.
    private var names: [(media: Int, style: Int)] = []
    private var share = StoreLedger.Share()
    /// What is not yet in `share`: neighbours are mostly of one line.
    private var line = StoreLedger.Line(kind: .attachment, isLocal: true)

    init(
        store: any MediaStore,
        decoding: StoreDecoding?,
        checksTypes: Bool,
        reportsEveryItem: Bool,
        control: RunControl,
        report: StoreReport
    ) {
        self.store = store
        self.decoding = decoding
        self.checksTypes = checksTypes
        self.reportsEveryItem = reportsEveryItem
        self.control = control
        self.report = report
    }

    /// Whether a file that is as its row says has been judged by that.
    private var looksOnly: Bool { !checksTypes && decoding == nil && !reportsEveryItem }

    /// Returns the batch's account.
    mutating func check(_ batch: Batch) -> StoreLedger.Share {
        share = StoreLedger.Share()
        write(batch)
        let found = store.look(all: paths)
        let looksOnly = looksOnly
        for index in found.indices {
            if looksOnly,
                countGood(batch.page.entries[names[index].media], isOriginal: names[index].style == 0, found[index])
            {
                continue
            }
            let media = batch.page[names[index].media]
            let file = NamedFile(media: media, style: media.styles[names[index].style], path: paths[index])
            check(file, found[index])
            // What is decoded takes its time; what was not reached is not counted.
            if decoding != nil, control.shouldStop { break }
        }
        flush()
        return share
    }

    /// Writes the paths of a batch down, and counts its rows.
    private mutating func write(_ batch: Batch) {
        let page = batch.page
        paths.removeAll()
        names.removeAll(keepingCapacity: true)
        for index in batch.range {
            let entry = page.entries[index]
            turn(to: entry)
            line.tally.rows += 1
            line.tally.bytesInRows += max(0, entry.byteCount ?? 0)
            writer.begin(page, index)
            for style in writer.styles.indices {
                if Self.append(style, of: page, by: &writer, to: &paths) {
                    names.append((index, style))
                } else {
                    failName(of: page[index])
                }
            }
        }
    }

    /// By reference: a closure over `self` would copy the writer for every path.
    private static func append(
        _ style: Int,
        of page: MediaPage,
        by writer: inout MediaPathWriter,
        to paths: inout PathList
    ) -> Bool {
        paths.append { writer.append(style, of: page, to: &$0) }
    }

    private mutating func turn(to entry: MediaPage.Entry) {
        if line.kind == entry.kind, line.isLocal != entry.isRemote { return }
        flush()
        line = StoreLedger.Line(kind: entry.kind, isLocal: !entry.isRemote)
    }

    private mutating func flush() {
        guard line.tally != MediaTally() else { return }
        share.change(line.kind, isLocal: line.isLocal) { $0 += line.tally }
        line.tally = MediaTally()
    }

    /// Counts a file that is as its row says; false where there is more to do.
    private mutating func countGood(
        _ entry: MediaPage.Entry,
        isOriginal: Bool,
        _ found: Result<StoreEntry?, FileFault>
    ) -> Bool {
        guard case .success(let file) = found,
            case .good(let size) = StoreVerdict(isOriginal: isOriginal, byteCount: entry.byteCount, found: file)
        else { return false }
        turn(to: entry)
        share.counts.seen += 1
        share.counts.files += 1
        share.counts.unchanged += 1
        share.counts.bytesSeen += size
        line.tally.files += 1
        line.tally.bytesOnDisk += size
        return true
    }

    /// What is looked at, and who says that it is there.
    private struct NamedFile {
        let media: StoredMedia
        let style: MediaStyle
        let path: BytePath

        var row: RowReference {
            RowReference(kind: media.kind.rawValue, id: media.rowID, isLocal: !media.isRemote)
        }
    }

    private mutating func check(_ file: NamedFile, _ found: Result<StoreEntry?, FileFault>) {
        let entry: StoreEntry?
        let verdict: StoreVerdict
        do throws(SyncError) {
            entry = try Self.entry(found, at: file.path)
            // A file that was being decoded when the run was stopped is not counted.
            guard let known = try self.verdict(of: file, found: entry) else { return }
            verdict = known
        } catch {
            if error.retry == .abortStage { control.stop(error) }
            return fail(file.path, file.row, of: file.media, error)
        }
        share.counts.seen += 1
        share.counts.files += 1
        share.counts.bytesSeen += entry?.size ?? 0
        share.change(file.media) { tally in
            tally.files += 1
            verdict.count(in: &tally)
        }
        if case .good = verdict {
            share.counts.unchanged += 1
            if reportsEveryItem {
                report.tell(ItemEvent(path: file.path, kind: .file, outcome: .unchanged, row: file.row), file.row)
            }
        } else {
            share.counts.different += 1
            if file.row.isLocal { share.lost.append(file.path) }
            let item = ItemEvent(
                path: file.path,
                kind: verdict.kind,
                outcome: .different,
                changes: verdict.changes,
                bytes: entry?.size ?? 0,
                row: file.row,
                why: verdict.why
            )
            report.tell(item, file.row)
        }
    }

    private static func entry(
        _ found: Result<StoreEntry?, FileFault>,
        at path: BytePath
    ) throws(SyncError) -> StoreEntry? {
        do throws(FileFault) { return try found.get() } catch { throw error.syncError("cannot look at \(path)") }
    }

    private func verdict(of file: NamedFile, found entry: StoreEntry?) throws(SyncError) -> StoreVerdict? {
        let verdict = StoreVerdict(isOriginal: file.style == .original, byteCount: file.media.byteCount, found: entry)
        guard checksTypes || decoding != nil, case .good(let size) = verdict else { return verdict }
        let expected = file.media.formats(of: file.style)
        if expected.isEmpty { return verdict }
        let head: [UInt8]
        do throws(FileFault) {
            head = try store.contents(of: file.path, limit: MediaContainer.headBytes)
        } catch {
            throw error.syncError("cannot look at \(file.path)")
        }
        if MediaContainer.all(ofHead: head).isDisjoint(with: expected) { return .otherType(size) }
        guard let decoding else { return verdict }
        return try decoding.verdict(of: file.path)
    }

    // MARK: Failures

    /// A row whose name can be no part of a path.
    private mutating func failName(of media: StoredMedia) {
        let what = "\(media.kind.rawValue) \(media.rowID)"
        let error = SyncError(
            .item,
            "the file name of \(what) is no name of a file: \(BytePath.escaped(media.fileName))",
            hint: "nothing that Mastodon writes looks like this: correct the row"
        )
        let row = RowReference(kind: media.kind.rawValue, id: media.rowID, isLocal: !media.isRemote)
        fail(BytePath(what), row, of: media, error)
    }

    private mutating func fail(_ path: BytePath, _ row: RowReference, of media: StoredMedia, _ error: SyncError) {
        share.counts.seen += 1
        share.counts.files += 1
        share.counts.failed += 1
        share.change(media) { tally in
            tally.files += 1
            tally.failed += 1
        }
        report.tell(ItemEvent(path: path, kind: .file, outcome: .failed(error), row: row), row)
    }
}
