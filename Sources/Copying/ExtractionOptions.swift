package import MediaModel

/// What the extraction of a media archive does.
package struct ExtractionOptions: Sendable {
    package var durability = CopyOptions.Durability.file
    package var dryRun = false
    package var half: MediaLayout.Half?
    /// Workers; nil lets the run decide.
    package var jobs: Int?
    /// Send an event for every entry, not for failures alone.
    package var reportsEveryItem = false

    package init() {}
}

/// What an archive may ask for at most: far beyond every server, and the end of what is believed.
enum ExtractionLimits {
    static let entries = 1 << 30
    static let fileBytes: Int64 = 1 << 42
    /// Hard links wait in memory until all files are in place.
    static let links = 1 << 20
    /// Entries that wait until it is known where the media tree begins, and the content of the files among them.
    static let heldEntries = 1024
    static let heldBytes = 16 << 20
    /// Files up to this size travel to a worker whole; larger ones in pieces of at most so much.
    static let wholeBytes: Int64 = 256 << 10
    /// Handed to a worker in one go.
    static let batchBytes = 256 << 10
    static let batchEntries = 64
    /// What waits for all workers together, about: while they stand before a full journal, as all of them do for a second at a time,
    /// the archive is read and decompressed ahead.
    static let waitingBytes = 64 << 20

    /// How many batches may wait for each of so many workers.
    static func batchesWaiting(workers: Int) -> Int { max(2, waitingBytes / batchBytes / workers) }
}

/// One file of an archive, checked and named below the media root.
struct ExtractionFile: Sendable {
    let path: BytePath
    let size: Int64
    let permissions: UInt32
    let modified: ArchiveTime
}

/// When an entry was modified, as exactly as its archive tells.
struct ArchiveTime: Sendable, Equatable {
    let seconds: Int64
    let nanoseconds: UInt32?
}
