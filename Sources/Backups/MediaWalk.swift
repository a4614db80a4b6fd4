internal import MediaModel
internal import Storage

/// Lists directories of a media root, deepest first, on one of several threads. Links and special entries are told and left
/// out.
final class MediaWalk {
    /// Files of one directory that are worth leaving to another thread.
    private static let sharedFiles = 64
    private static let ownPrefix = Array(".mediasync-".utf8)

    private let root: HeldDirectory
    private let includesCache: Bool
    private let share: MediaShare
    private let shouldStop: () -> Bool
    private let tell: (BytePath, EntryKind, Outcome) -> Void
    private let listing = ListingBuffer()
    private var waiting: [MediaStep] = []

    /// - Parameter tell: hears of entries that are not archived.
    init(
        _ root: HeldDirectory,
        includesCache: Bool,
        share: MediaShare,
        shouldStop: @escaping () -> Bool,
        tell: @escaping (BytePath, EntryKind, Outcome) -> Void
    ) {
        self.root = root
        self.includesCache = includesCache
        self.share = share
        self.shouldStop = shouldStop
        self.tell = tell
    }

    /// Walks what steps lead to, to the end but for what other threads take over.
    /// - Parameter file: takes a file by its name.
    func run(_ steps: [MediaStep], _ file: (MediaFolder, BytePath) -> Void) {
        waiting = steps
        while !shouldStop(), let step = waiting.popLast() {
            do throws(FileFault) {
                let folder = try MediaFolder.open(step, below: root)
                try visit(folder, file)
            } catch {
                var fault = error.syncError("could not read the directory \(step.path)")
                if error.kind == .missing { fault.code = .sourceVanished }
                tell(step.path, .directory, .failed(fault))
            }
            if waiting.count > 1, share.isHungry {
                let half = waiting.count / 2
                share.give(.folders(Array(waiting[..<half])))
                waiting.removeFirst(half)
            }
        }
        waiting = []
    }

    private func visit(_ folder: MediaFolder, _ file: (MediaFolder, BytePath) -> Void) throws(FileFault) {
        var files: [BytePath] = []
        while try folder.handle.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                let name = BytePath(name: entry.name)
                if name.bytes.starts(with: Self.ownPrefix) {
                    tell(folder.path.appending(name), entry.kind ?? .file, .skipped(.temporary))
                    continue
                }
                var kind = entry.kind
                if kind == nil { kind = try folder.handle.lookUp(entry.name)?.kind }
                switch kind {
                case .directory:
                    // As the snap's tar leaves it out: by this name, wherever it is.
                    if !includesCache, name == MediaLayout.cacheFolder { continue }
                    waiting.append(folder.step(to: name))
                case .file: files.append(name)
                case nil:
                    let path = folder.path.appending(name)
                    tell(path, .file, .failed(MediaFault.vanished(path)))
                case let kind?: tell(folder.path.appending(name), kind, .skipped(.special))
                }
            }
            while files.count >= Self.sharedFiles, share.isHungry {
                share.give(.files(folder, Array(files.suffix(Self.sharedFiles))))
                files.removeLast(Self.sharedFiles)
            }
            for name in files where !shouldStop() { file(folder, name) }
            files.removeAll(keepingCapacity: true)
        }
    }
}

/// What happened to files while they were read.
enum MediaFault {
    static func changed(_ path: BytePath) -> SyncError {
        SyncError(
            .sourceChanged,
            "\(path) changed while it was read",
            hint: "the export does not have it as it should: make another one"
        )
    }

    static func vanished(_ path: BytePath) -> SyncError {
        SyncError(.sourceVanished, "\(path) went away after it was listed", hint: "the export does not have it")
    }
}
