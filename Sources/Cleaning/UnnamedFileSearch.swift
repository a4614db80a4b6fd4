internal import Catalog
internal import MediaModel
internal import Pacing
internal import Postgres
internal import Running
internal import Storage

/// The other direction of `verify --store`: files that no row names, or that lie where their row does not expect them. They
/// are told and left alone.
struct UnnamedFileSearch: Sendable {
    /// Threads, each with a connection of its own.
    private static let jobs = 4

    let settings: ConnectionSettings
    let store: any MediaStore
    let kinds: Set<MediaKind>
    let remote: Bool?
    /// Younger files are passed over, in seconds since 1970: a running server writes a file before its row.
    let before: Int64
    let account: StoreLedger.Part
    let control: RunControl
    let sink: EventSink

    /// Lists the whole store. Returns why it could not.
    func run(_ pool: WorkerPool) async -> SyncError? {
        let sweep = StoreSweep(
            settings: settings,
            application: "mediasync verify",
            walk: StoreWalk(store),
            control: control
        )
        return await sweep.run(
            pool,
            threads: Self.jobs,
            judge: { (batch, reader) throws(SyncError) in try judge(batch, reader) },
            unlisted: { tellUnlisted($0, $1) }
        )
    }

    private func tellUnlisted(_ directory: BytePath, _ fault: FileFault) {
        var share = StoreLedger.Share()
        share.counts.seen += 1
        share.counts.failed += 1
        account.add(share)
        let error = fault.syncError("cannot list \(directory)")
        sink(.item(ItemEvent(path: directory, kind: .directory, outcome: .failed(error))))
    }

    private func judge(_ batch: [BytePath], _ reader: CatalogReader) throws(SyncError) {
        var share = StoreLedger.Share()
        for (path, judged) in zip(batch, try OrphanVerdict.all(of: batch, reader)) {
            guard let (media, verdict) = judged else {
                sink(.notice(Notice(.warning, "not recognized: \(path)")))
                continue
            }
            guard verdict != .named, kinds.contains(media.kind), remote == nil || remote == media.isCached,
                let entry = try? store.look(path), entry.modificationTime.seconds < before
            else { continue }
            tell(path, media, entry, in: &share)
        }
        account.add(share)
    }

    private func tell(_ path: BytePath, _ media: MediaPath, _ entry: StoreEntry, in share: inout StoreLedger.Share) {
        share.counts.seen += 1
        share.counts.files += 1
        share.counts.different += 1
        share.counts.bytesSeen += entry.size
        share.change(media.kind, isLocal: !media.isCached) { tally in
            tally.files += 1
            tally.different += 1
            tally.bytesOnDisk += entry.size
        }
        let row = RowReference(kind: media.kind.rawValue, id: media.id, isLocal: !media.isCached)
        sink(
            .item(
                ItemEvent(
                    path: path,
                    kind: entry.kind ?? .file,
                    outcome: .different,
                    changes: .extra,
                    bytes: entry.size,
                    row: row
                )
            )
        )
    }
}
