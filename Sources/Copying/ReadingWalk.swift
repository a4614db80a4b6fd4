internal import MediaModel
internal import Running
internal import Storage

/// A walk that changes nothing: what verify, manifest and the counting of entries share. The descriptors of its roots stay
/// the caller's.
struct ReadingWalk {
    let context: CopyContext
    let root: DirectoryNode
    private let bounds: Bounds

    /// - Parameters:
    ///   - target: not open where there is one tree only.
    ///   - options: what selects and reports entries; nothing that writes is used.
    init(
        source: HeldDirectory,
        target: HeldDirectory = .none,
        options: CopyOptions,
        run: RunID,
        host: Host,
        control: RunControl,
        account: Account,
        sink: @escaping EventSink
    ) throws(FileFault) {
        bounds = Bounds(host: host, jobs: options.jobs)
        let sourceDevice = try source.metadata().device
        let targetDevice = target.isOpen ? try target.metadata().device : sourceDevice
        root = DirectoryNode(root: DescriptorBudget(maximum: bounds.openPairs))
        root.source = source
        root.target = target
        root.set(target.isOpen ? .keepsHandles : [.keepsHandles, .absent])
        root.hold()
        context = CopyContext(
            options: options,
            run: run,
            host: host,
            control: control,
            account: account,
            sink: sink,
            root: root,
            sourceDevice: sourceDevice,
            targetDevice: targetDevice,
            backup: nil,
            marker: try RunMarker(in: target, run: run)
        )
    }

    /// The work of one run.
    /// - Parameter first: threads that work at first, where that is not left to the bounds.
    func makeQueue(first: Int? = nil) -> WalkQueue {
        WalkQueue(first: .directory(root), workers: bounds.workersMax, limit: first ?? bounds.workersFirst)
    }

    /// Shows every entry below the root to a visitor.
    /// - Parameters:
    ///   - queue: one of its own, for a visitor that keeps directories for a while.
    ///   - isHeldBack: true while more threads would not help.
    func run(
        _ visitor: some TreeVisitor,
        queue: WalkQueue? = nil,
        isHeldBack: @escaping @Sendable () -> Bool = { false }
    ) async {
        let queue = queue ?? makeQueue()
        let walk = TreeWalk(
            root: root,
            queue: queue,
            visitor: visitor,
            control: context.control,
            processors: context.host.processors,
            mayWiden: context.options.jobs == nil,
            isHeldBack: isHeldBack
        )
        await walk.run()
        root.source = .none
        root.target = .none
    }

    /// The same for an engine: the root is an entry too.
    func run(_ visitor: some TreeVisitor, stage: String) async {
        let tally = context.account.makeTally()
        tally.seen.add()
        tally.directories.add()
        context.sink(.stage(stage))
        await run(visitor)
        if !context.control.shouldStop { visitor.finish(root, worker: visitor.makeWorker(index: 9999)) }
    }
}
