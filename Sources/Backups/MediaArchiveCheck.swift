internal import Archives
internal import Checksums
internal import MediaModel
internal import Running
internal import Storage

/// Reads a media archive from its beginning to its end and compares every file with its line of the manifest, where there is
/// one: both have the same order.
struct MediaArchiveCheck {
    let directory: HeldDirectory
    let name: BytePath
    let control: RunControl
    let ledger: BackupLedger
    /// Files that changed while the export was made are differences; whoever made it knows of them.
    let toleratesChanged: Bool
    /// Set while archive and manifest are being written.
    var growth: ArchiveGrowth?

    func run() throws(SyncError) {
        let source = try FileSource(name, in: directory, growth: growth) { ledger.advance(to: $0) }
        ledger.begin("media", total: source.size)
        let tar = try TarReader(try source.decompressed())
        let hasManifest = try directory.regularFile(BackupLayout.mediaManifest) != nil
        let manifest = hasManifest ? try BackupManifest(BackupLayout.mediaManifest, in: directory, growth: growth) : nil
        var files = 0
        var hasMedia = false
        while !control.shouldStop, let entry = try tar.next() {
            if !hasMedia, MediaLayout.level(of: entry.path) != nil { hasMedia = true }
            guard case .file = entry.kind else { continue }
            files += 1
            try compare(entry, tar, manifest)
        }
        if control.shouldStop { return }
        if let manifest {
            while let line = try manifest.next() {
                guard case .digest(let line) = line else { continue }
                ledger.add(inside(line.path), .different, changes: .new)
            }
        }
        if files > 0, !hasMedia {
            ledger.differ(name, "it holds no media of Mastodon")
        }
    }

    private func inside(_ path: BytePath) -> BytePath {
        name.appending(path)
    }

    private func compare(_ entry: TarEntry, _ tar: TarReader, _ manifest: BackupManifest?) throws(SyncError) {
        guard let manifest else {
            while let piece = try tar.content() { _ = piece }
            return ledger.add(inside(entry.path), .unchanged, bytes: entry.size)
        }
        switch try manifest.next() {
        case nil:
            ledger.add(inside(entry.path), .different, changes: .extra)
        case .changed:
            if !toleratesChanged {
                ledger.add(inside(entry.path), .different, bytes: entry.size, changes: .content)
            }
        case .digest(let line):
            let path = BackupLayout.mediaPrefix.appending(line.path)
            let digest = StreamingDigest(line.digest.algorithm)
            var end: Int64 = 0
            while let piece = try tar.content() {
                digest.updateZeros(piece.offset - end)
                digest.update(piece.bytes)
                end = piece.offset + Int64(piece.bytes.count)
            }
            if path != entry.path {
                ledger.add(inside(entry.path), .different, changes: .extra)
            } else if digest.finish() != line.digest {
                ledger.add(inside(entry.path), .different, bytes: entry.size, changes: .content)
            } else {
                ledger.add(inside(entry.path), .unchanged, bytes: entry.size)
            }
        }
    }
}

extension BackupLedger {
    /// A part of an export that is not what it should be, and why.
    func differ(_ path: BytePath, _ why: String) {
        add(path, .different, changes: .content)
        notice(.warning, "\(path): \(why)")
    }
}
