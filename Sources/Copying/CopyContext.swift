internal import Checksums
internal import Filtering
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Synchronization

/// What all threads of one copy share: options, roots, account, and the answers found out once.
final class CopyContext: Sendable {
    let options: CopyOptions
    let run: RunID
    let host: Host
    let control: RunControl
    let account: Account
    let sink: EventSink
    let attributeRules: AttributeRules
    let selection: Selection
    let limiter: BandwidthLimiter?
    let hardLinks: HardLinkTable?
    let localDelta: LocalDelta
    let root: DirectoryNode
    /// Device of each root: what lies on another one is a mount.
    let sourceDevice: UInt64
    let targetDevice: UInt64
    /// The roots themselves, known where one could be reached through a mount inside the other.
    let sourceRoot: FileIdentity?
    let targetRoot: FileIdentity?
    /// The source is on another machine: what is known of it was sent.
    let isSourceElsewhere: Bool
    /// Nanoseconds by which a clock here is ahead of the source's, at most.
    let clockLead: Int64
    /// Runs that died in this target; their temporaries are removed on the way.
    let deadRuns: Set<RunID>
    /// Directories with what dead runs left of large files.
    let partialFiles = Mutex<[(node: DirectoryNode, name: BytePath)]>([])
    /// What there is of large files stays for the next run, and the marker with it.
    let hasPartialFiles = Atomic<Bool>(false)
    let backup: BackupStore?
    /// How the target's directories become durable.
    let directoryDurability: DirectoryDurability
    /// Changed directories whose own fsync was asked for.
    let synchronizedDirectories = Atomic<Int>(0)
    let marker: RunMarker
    /// True where new entries do not get the process's own group (mounted with `grpid`).
    var inheritsGroups: Bool { inheritsGroupsFlag.load(ordering: .relaxed) }
    private let inheritsGroupsFlag = Atomic(false)

    /// Directories whose target has entries that the source does not have.
    let extraneous = Mutex<[DirectoryNode]>([])
    let extraneousEntries = Atomic<Int>(0)
    let targetEntries = Atomic<Int>(0)
    /// The next of `extraneous` to be cleared.
    let nextDeletion = Atomic<Int>(0)
    /// Hard links that wait for their first name.
    let deferredLinks = Mutex<[DeferredLink]>([])
    /// Directories in the way, removed with the deletions.
    let conflicts = Mutex<[Conflict]>([])
    /// Reported once a run.
    private let saidAttributesUnsupported = Atomic<Bool>(false)
    private let isMarked = Atomic(false)
    /// Cleared when a clone was refused: not asked again.
    let clonesBlocks = Atomic<Bool>(true)
    /// Cleared when the target's file system was found not to know files without a name.
    let makesUnnamedFiles = Atomic<Bool>(true)
    /// Listing errors of any kind: nothing is deleted after one.
    let listingErrors = Atomic<Int>(0)

    init(
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        account: Account,
        sink: @escaping EventSink,
        root: DirectoryNode,
        sourceDevice: UInt64,
        targetDevice: UInt64,
        sourceRoot: FileIdentity? = nil,
        targetRoot: FileIdentity? = nil,
        isSourceElsewhere: Bool = false,
        clockLead: Int64 = 0,
        backup: BackupStore?,
        marker: RunMarker,
        directoryDurability: DirectoryDurability = .none
    ) {
        self.options = options
        self.run = run
        self.host = host
        self.control = control
        self.account = account
        self.sink = sink
        self.root = root
        self.sourceDevice = sourceDevice
        self.targetDevice = targetDevice
        self.sourceRoot = sourceRoot
        self.targetRoot = targetRoot
        self.isSourceElsewhere = isSourceElsewhere
        self.clockLead = clockLead
        deadRuns = Set(marker.deadRuns)
        self.backup = backup
        self.marker = marker
        self.directoryDurability = directoryDurability
        attributeRules = AttributeRules(preservesOwner: host.isRoot, chown: options.chown, chmod: options.chmod)
        selection = Selection(filters: options.filters, fileList: options.fileList, half: options.half)
        limiter = options.bandwidthLimit.map { BandwidthLimiter(bytesPerSecond: $0) }
        hardLinks = options.hardLinks ? HardLinkTable() : nil
        localDelta = LocalDelta(options.delta, target: root.target, sharesSource: sourceDevice == targetDevice)
    }

    /// To be called before every change of the target: the marker must be there first. A target that cannot hold it
    /// cannot hold the copy either.
    @inline(__always)
    func willChange() throws(FileFault) {
        if isMarked.load(ordering: .acquiring) { return }
        try markTarget()
    }

    private func markTarget() throws(FileFault) {
        do throws(FileFault) {
            try marker.write()
        } catch {
            var problem = error.syncError("cannot write to the target")
            if problem.code == .item { problem.code = .unusable }
            control.stop(problem)
            throw error
        }
        root.set(.dirty)
        let isSetGroup = (try? root.target.metadata().permissions & 0o2000) ?? 0 != 0
        if !isSetGroup, let group = marker.groupOfNewFiles, group != host.group {
            inheritsGroupsFlag.store(true, ordering: .relaxed)
        }
        isMarked.store(true, ordering: .releasing)
    }

    /// Whether every directory of the target that the source has was looked at: only then are the temporaries of dead runs
    /// gone, and the marker that names the runs may go too.
    var sweptWholeTarget: Bool {
        !control.shouldStop && selection.takesAll && !options.oneFileSystem
            && listingErrors.load(ordering: .relaxed) == 0
    }

    // MARK: Outcomes

    /// Puts an entry's outcome on the account and tells who listens.
    func finish(
        _ outcome: Outcome,
        _ kind: EntryKind,
        in node: DirectoryNode?,
        name: EntryName?,
        tally: Tally,
        changes: ChangeSet = .nothing,
        bytes: Int64 = 0,
        digest: Digest? = nil
    ) {
        var (outcome, changes, bytes) = (outcome, changes, bytes)
        options.comparison?.judge(&outcome, &changes, &bytes)
        tally.add(outcome)
        if bytes > 0 { tally.bytesWritten.add(Int(bytes)) }
        guard outcome.isAlwaysTold || options.reportsEveryItem else { return }
        var path = node?.path() ?? .root
        if let name, let node { path = node.path(of: name) }
        sink(.item(ItemEvent(path: path, kind: kind, outcome: outcome, changes: changes, bytes: bytes, digest: digest)))
    }

    /// A failure as an outcome; one that nothing else will survive also stops the run.
    func failure(_ error: SyncError) -> Outcome {
        if error.retry == .abortStage { control.stop(error) }
        return .failed(error)
    }

    func failure(_ fault: FileFault, _ what: String) -> Outcome {
        failure(fault.syncError(what))
    }

    /// A fault on the source's side: an entry that is gone is a vanished source.
    func sourceFailure(_ fault: FileFault, _ what: String) -> Outcome {
        var error = fault.syncError(what)
        if fault.kind == .missing {
            error.code = .sourceVanished
            error.hint = "it went away after it was listed: run the same command again"
        }
        return failure(error)
    }

    /// Says once that the target's file system keeps no such attributes.
    func attributesUnsupported(_ path: @autoclosure () -> BytePath) {
        guard saidAttributesUnsupported.exchange(true, ordering: .relaxed) == false else { return }
        sink(
            .notice(
                Notice(
                    .warning,
                    "the target's file system cannot keep all extended attributes or ACLs (first: \(path()))",
                    hint: "pass --no-xattrs to leave them out without this warning"
                )
            )
        )
    }

    /// Whether extended attributes are worth a look, which costs several calls an entry: the source was changed after the
    /// target was, something else differs (a directory that a stopped run did not finish has another time), or everything
    /// is compared.
    func mayDifferInAttributes(_ source: Metadata, _ target: Metadata, _ changes: ChangeSet) -> Bool {
        options.extendedAttributes
            && (options.checksum || !changes.isEmpty || source.changeTime.advanced(by: clockLead) > target.changeTime)
    }

    /// Whether files go to the publisher before they get their name.
    var publishesLater: Bool { !options.dryRun && (options.durability == .file || options.verify) }

    /// Waits until a file's last change is older than the clock of its file system is coarse: a write in the same tick
    /// as our look would leave no trace in its times.
    static func settle(_ metadata: Metadata) -> Bool {
        let age = age(metadata)
        guard age >= 0, age < settleNanoseconds else { return false }
        Host.sleep(nanoseconds: settleNanoseconds - age)
        return true
    }

    /// Whether `settle` would wait.
    static func isJustChanged(_ metadata: Metadata) -> Bool {
        (0..<settleNanoseconds).contains(age(metadata))
    }

    /// Nanoseconds since its last change.
    private static func age(_ metadata: Metadata) -> Int64 {
        let now = Host.wallClock()
        return (now.seconds - metadata.changeTime.seconds) * 1_000_000_000
            + Int64(now.nanoseconds) - Int64(metadata.changeTime.nanoseconds)
    }

    /// Two ticks of the slowest kernel clock (100 Hz).
    private static let settleNanoseconds: Int64 = 20_000_000
}

/// Which names take part: `--only`, filter rules and the list of files.
struct Selection: Sendable {
    let filters: FilterRules
    let fileList: FileList?
    let half: MediaLayout.Half?

    /// True where every entry takes part and no path needs to be built.
    var takesAll: Bool { filters.isEmpty && fileList == nil && half == nil }

    private static let cacheFolder = MediaLayout.cacheFolder.bytes

    /// Whether anything in a directory that takes part can take part too.
    func reaches(into path: BytePath) -> Bool {
        guard let fileList else { return true }
        return path.bytes.withUnsafeBufferPointer { fileList.needsDescent(into: $0) }
    }

    /// - Parameter path: relative to the root, its parents take part.
    func excludes(_ path: UnsafeBufferPointer<UInt8>, isDirectory: Bool) -> Bool {
        if let half, !path.contains(UInt8(ascii: "/")) {
            let isCache = isDirectory && path.elementsEqual(Self.cacheFolder)
            if isCache != (half == .remote) { return true }
        }
        if let fileList {
            switch fileList.role(of: path) {
            case .outside: return true
            // Rules speak about what is listed, not about the way to it.
            case .ancestor: return false
            case .listed: fileList.markMet(path)
            }
        }
        return filters.excludes(path, isDirectory: isDirectory)
    }
}
