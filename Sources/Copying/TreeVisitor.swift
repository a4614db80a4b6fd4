internal import MediaModel
internal import Storage

/// One entry of a listing, handed to a visitor; valid during the call.
struct WalkEntry {
    let name: EntryName
    let length: Int
    /// Nil where the file system does not tell without a look.
    let kind: EntryKind?

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: name, count: length) }
}

/// What is done with a tree while it is walked. The walk owns threads, order and listing; a visitor decides and acts.
/// Calls come from many threads at once, but the calls for one node's own opening and listing from one at a time.
protocol TreeVisitor: Sendable {
    /// What one thread keeps: buffers, its share of the account.
    associatedtype Worker

    func makeWorker(index: Int) -> Worker

    /// Whether the visitor keeps a directory, all below it and its hold on its parent for now. The walk goes on, and does not end before the
    /// directory came back to its queue (`WalkQueue.comeBack`).
    func keeps(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool

    /// Opens the node's directories through its parent's descriptors. False where there is nothing to walk; the visitor
    /// has put the reason on the account.
    func open(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool

    /// The node's parent, closed early to save descriptors, could not be opened again.
    func unreachable(_ node: DirectoryNode, fault: FileFault, worker: Worker)

    /// Whether a directory may be one that the visitor handles as a whole (`takesWhole`), by the first part of its listing; asked before
    /// any of its entries is shown.
    func mayTakeWhole(_ part: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool

    /// Whether the visitor handles a directory as a whole, now that this is all of its listing: then none of its entries is shown.
    func takesWhole(_ listing: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool

    /// Called before entries of a node are visited by this thread: at its start, and again after another node's turn.
    func prepare(_ node: DirectoryNode, worker: Worker)

    /// Sees every entry once, on the thread that lists the node, before or after other threads handle it.
    func note(_ entry: WalkEntry, of node: DirectoryNode)

    /// Whether to walk into a child directory; a visitor that says no has put it on the account.
    func descends(into entry: WalkEntry, of node: DirectoryNode, worker: Worker) -> Bool

    /// Handles an entry that is no directory.
    func visit(_ entry: WalkEntry, of node: DirectoryNode, worker: Worker)

    /// Tells the kind of an entry that the listing did not tell; nil where it is gone or unknown (and on the account).
    func kind(of entry: WalkEntry, in node: DirectoryNode, worker: Worker) -> EntryKind?

    /// This thread leaves a node whose entries it has visited: others go on with it, or it comes back later.
    func paused(_ node: DirectoryNode, worker: Worker)

    /// The source's listing came to its end.
    func listed(_ node: DirectoryNode, worker: Worker)

    /// The source's listing failed in the middle.
    func listingFailed(_ node: DirectoryNode, fault: FileFault, worker: Worker)

    /// Others are about to go on with a part of what this thread has shown, or this thread waits for work: what a visitor keeps
    /// back for a while must go now.
    func handOver(worker: Worker)

    /// The last hold of the node was released by this worker.
    func finish(_ node: DirectoryNode, worker: Worker)
}

/// The descriptors of a directory pair for the time of one call.
struct DirectoryHandles: Sendable {
    let source: HeldDirectory
    let target: HeldDirectory
}

extension TreeVisitor {
    @inline(__always)
    func keeps(_ node: DirectoryNode, in parent: DirectoryHandles, worker: Worker) -> Bool { false }
    @inline(__always)
    func mayTakeWhole(_ part: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool { false }
    func takesWhole(_ listing: ListingBuffer, of node: DirectoryNode, worker: Worker) -> Bool { false }
    func paused(_ node: DirectoryNode, worker: Worker) {}
    func handOver(worker: Worker) {}
}
