internal import MediaModel
internal import Storage

/// A piece of an archive to be made: the number says where it stands in it.
struct ArchiveJob: Sendable {
    enum Content: Sendable {
        /// Whole small files of one directory.
        case files(MediaFolder, [BytePath])
        /// A part of a large file; the first one brings the header, the last one the padding.
        case part(LargeMedia, index: Int)
        /// What stands in the archive as it is.
        case bytes([UInt8])
    }

    let number: Int
    let content: Content
}

/// A directory that is held open while files are read from it.
final class MediaFolder: Sendable {
    let handle: HeldDirectory
    /// Below the media root.
    let path: BytePath

    init(_ handle: HeldDirectory, path: BytePath) {
        self.handle = handle
        self.path = path
    }

    deinit {
        handle.close()
    }
}

/// Lists a media root on one thread and cuts it into jobs. Links and special entries are told and left out.
final class MediaWalk {
    /// Content of one job; a block that is compressed on its own.
    static let jobBytes: Int64 = 1 << 20
    /// So many files of some bytes are one job.
    private static let jobFiles = 64

    private let root: HeldDirectory
    private let includesCache: Bool
    private let shouldStop: () -> Bool
    private let offer: (ArchiveJob) -> Void
    private let tell: (BytePath, EntryKind, Outcome) -> Void
    private var number = 0
    private let listing = ListingBuffer()

    /// - Parameters:
    ///   - offer: takes a job; waits where there are enough.
    ///   - tell: hears of entries that are not archived.
    init(
        _ root: HeldDirectory,
        includesCache: Bool,
        shouldStop: @escaping () -> Bool,
        offer: @escaping (ArchiveJob) -> Void,
        tell: @escaping (BytePath, EntryKind, Outcome) -> Void
    ) {
        self.root = root
        self.includesCache = includesCache
        self.shouldStop = shouldStop
        self.offer = offer
        self.tell = tell
    }

    /// Walks to the end. What is named below a directory comes before the next directory, in no other order.
    func run() {
        var waiting = [BytePath.root]
        while !shouldStop(), let path = waiting.popLast() {
            do throws(FileFault) {
                let folder = MediaFolder(try root.openDirectory(beneath: path), path: path)
                waiting += try visit(folder)
            } catch {
                var fault = error.syncError("could not read the directory \(path)")
                if error.kind == .missing { fault.code = .sourceVanished }
                tell(path, .directory, .failed(fault))
            }
        }
    }

    /// Adds what is no file: the first entry, the end.
    func add(_ bytes: [UInt8]) {
        next(.bytes(bytes))
    }

    private func next(_ content: ArchiveJob.Content) {
        offer(ArchiveJob(number: number, content: content))
        number += 1
    }

    private func visit(_ folder: MediaFolder) throws(FileFault) -> [BytePath] {
        var folders: [BytePath] = []
        var files: [BytePath] = []
        var bytes: Int64 = 0
        while try folder.handle.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                let name = BytePath(name: entry.name)
                let path = folder.path.appending(name)
                if name.bytes.starts(with: Self.ownPrefix) {
                    tell(path, entry.kind ?? .file, .skipped(.temporary))
                    continue
                }
                guard let metadata = try folder.handle.lookUp(entry.name) else {
                    tell(path, .file, .failed(Self.vanished(path)))
                    continue
                }
                switch metadata.kind {
                case .directory:
                    // As the snap's tar leaves it out: by this name, wherever it is.
                    if !includesCache, name == MediaLayout.cacheFolder { continue }
                    folders.append(path)
                case .file where metadata.size > Self.jobBytes:
                    addLarge(folder, name, metadata)
                case .file:
                    files.append(name)
                    bytes += metadata.size
                    if files.count >= Self.jobFiles || bytes >= Self.jobBytes {
                        next(.files(folder, files))
                        files = []
                        bytes = 0
                    }
                default:
                    tell(path, metadata.kind ?? .file, .skipped(.special))
                }
            }
        }
        if !files.isEmpty { next(.files(folder, files)) }
        return folders
    }

    private static let ownPrefix = Array(".mediasync-".utf8)

    private func addLarge(_ folder: MediaFolder, _ name: BytePath, _ metadata: Metadata) {
        do throws(FileFault) {
            let file = try name.withEntryName { (name) throws(FileFault) in try folder.handle.openFile(name) }
            let opened = try file.metadata()
            guard opened.kind == .file, opened.identity == metadata.identity else {
                return tell(folder.path.appending(name), .file, .failed(Self.changed(folder.path.appending(name))))
            }
            let large = LargeMedia(file, path: folder.path.appending(name), opened)
            for index in 0..<large.parts where !shouldStop() { next(.part(large, index: index)) }
        } catch {
            tell(folder.path.appending(name), .file, .failed(error.syncError("could not open \(name)")))
        }
    }

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
