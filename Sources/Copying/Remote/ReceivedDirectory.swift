internal import MediaModel
internal import Storage
internal import Synchronization
internal import Wire

/// A directory that another machine named. What is said about it before it was opened here waits in it.
final class ReceivedDirectory: Sendable {
    private struct State {
        var isReady = false
        var isOpen = false
        var waiting: [ReceiveJob] = []
        var end = DirectoryEnd.listed
    }

    let node: DirectoryNode
    /// As the other end found it.
    let sent: WireDirectory.State
    private let state = Mutex(State())

    init(_ node: DirectoryNode, _ sent: WireDirectory.State) {
        self.node = node
        self.sent = sent
    }

    /// How its entries end. Set before that is worked on.
    var end: DirectoryEnd {
        get { state.withLock { $0.end } }
        set { state.withLock { $0.end = newValue } }
    }

    /// True where the job can be done now; else it is kept for later.
    func admits(_ job: ReceiveJob) -> Bool {
        state.withLock { state in
            if state.isReady { return true }
            state.waiting.append(job)
            return false
        }
    }

    /// Whether it was tried to open it.
    var isReady: Bool { state.withLock { $0.isReady } }

    /// Whether entries can be put into it.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// It was opened, or could not be: what waited can be done.
    func becomeReady(isOpen: Bool) -> [ReceiveJob] {
        state.withLock { state in
            state.isReady = true
            state.isOpen = isOpen
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}

/// A file that was asked for. Its node is held until it is done.
struct WantedFile: Sendable {
    let node: DirectoryNode
    let name: BytePath
    var replaces: Metadata?
    var changes: ChangeSet = .new
    /// Set where other names of the file wait for this one.
    var hardLink: FileIdentity?
    /// Sent along where contents are compared.
    var digest: Digest?
    var attributesOnly = false
    /// Whether anything must be done is known when its attributes are.
    var isUndecided = false
    /// What a dead run left of it.
    var partial: PartialFile?
    /// The older version that it is built from, once that was described.
    var basis: DeltaBasis?
}

/// One piece of a receiver's work. Thousands wait at a time and move from hand to hand: what is large is kept apart.
enum ReceiveJob: Sendable {
    case open(ReceivedDirectory)
    indirect case bundle(DirectoryNode, WireBundle)
    case batch(ReceivedDirectory, WireBatch)
    /// Of a child of the directory.
    indirect case summary(ReceivedDirectory, WireSummary)
    /// What is wanted of a batch, once it is known what was renamed.
    indirect case answer(FoundFiles)
    case end(ReceivedDirectory)
    indirect case file(WantedFile, WireFile)
    indirect case failed(WantedFile, SyncError)
    case transfer(IncomingFile)
    indirect case describe(DeltaDescription)

    /// Entries that are made by it, at least one.
    var entries: Int64 {
        if case .bundle(_, let bundle) = self { Int64(bundle.entries) + 1 } else { 1 }
    }

    /// Bytes that it keeps in memory, about.
    var weight: Int {
        switch self {
        case .open, .end, .failed, .transfer, .describe: 256
        case .bundle(_, let bundle): bundle.weight
        case .batch(_, let batch): batch.entries.count * 256 + 256
        case .summary(_, let summary): summary.ages.count * 8 + 512
        case .answer(let found): found.weight
        case .file(_, let file):
            if case .whole(let bytes, _) = file.content { bytes.count + 512 } else { 512 }
        }
    }
}

/// A large file that comes in pieces. Its pieces are handled in their order, by one thread at a time.
///
/// Sendable without checks: the variables but `state` are touched only by the thread that `next` gave a step to, until it asks again; turns
/// pass under the lock of `state`.
final class IncomingFile: @unchecked Sendable {
    enum Step: Sendable {
        case begin(WireFile)
        case piece([UInt8])
        case copies([WireCopy])
        case end(FileEnd)
    }

    private struct State {
        var steps: [Step] = []
        var isRunning = false
    }

    let wanted: WantedFile
    let reference: WireReference
    /// What must be done, where that was found out with the first piece.
    var decided: WantedFile?
    var subject: WantedFile { decided ?? wanted }
    /// What is there of the file so far.
    var assembly: FileAssembly?
    /// It is on the account; what still comes of it goes nowhere.
    var isSettled = false
    /// The older version that it is built from, and bytes that were taken over.
    var basis: DeltaBasis?
    var matchedBytes: Int64 = 0
    /// The older version cannot be read any more.
    var isSpoiled = false
    private let state = Mutex(State())

    init(_ wanted: WantedFile, _ reference: WireReference) {
        self.wanted = wanted
        self.reference = reference
        basis = wanted.basis
    }

    /// True where a thread must be sent for it.
    func add(_ step: Step) -> Bool {
        state.withLock { state in
            state.steps.append(step)
            defer { state.isRunning = true }
            return !state.isRunning
        }
    }

    /// What came since the last call; empty, and the thread leaves it, where nothing did.
    func next() -> [Step] {
        state.withLock { state in
            defer { state.steps = [] }
            if state.steps.isEmpty { state.isRunning = false }
            return state.steps
        }
    }
}
