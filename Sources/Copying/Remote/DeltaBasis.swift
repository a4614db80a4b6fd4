internal import Delta
internal import DequeModule
internal import MediaModel
internal import Storage
internal import Synchronization
internal import Wire

/// A version of a file that the target has, held open while the newer one is made of it. What is written to it meanwhile
/// shows in the digest of the whole.
final class DeltaBasis: Sendable {
    let plan: BlockPlan
    let descriptor: Int32
    /// Of which files something is learned by it.
    let kind: DeltaPolicy.Kind?

    init(_ file: consuming OpenFile, _ plan: BlockPlan, _ kind: DeltaPolicy.Kind?) {
        descriptor = file.detach()
        self.plan = plan
        self.kind = kind
    }

    deinit {
        _ = OpenFile(raw: descriptor)
    }
}

/// A version that is to be described to the other end. Its node is held until it is.
struct DeltaDescription: Sendable {
    let reference: WireReference
    let node: DirectoryNode
    let name: BytePath
    let plan: BlockPlan
    let kind: DeltaPolicy.Kind?
    /// Tried although files of its kind have little in common with their older versions.
    var isProbe = false
    /// Another file of the same directory: what is there of the wanted one.
    var sibling: BytePath?
    /// Another file of the target, from its root, that the wanted one may have been before it was renamed.
    var path: BytePath?
}

/// What a receiver keeps of files that are built from older versions. Descriptions that have no room wait here, and no
/// thread waits with them: threads that do would be missing where what makes room is done.
final class DeltaDesk: Sendable {
    private struct State {
        var policy: DeltaPolicy
        var waiting = Deque<DeltaDescription>()
        /// Files that were described and are not done, and their blocks.
        var files = 0
        var blocks = 0
    }

    /// Each holds a descriptor.
    private let filesMax: Int
    private let state: Mutex<State>

    init(_ mode: CopyOptions.DeltaMode, host: Host) {
        filesMax = max(1, min(WireLimit.bases, host.descriptorLimit / 16))
        state = Mutex(State(policy: DeltaPolicy(mode)))
    }

    /// How an older version of a file is to be described; nil where the new one comes whole.
    func plan(_ name: BytePath, oldBytes: Int64, newBytes: Int64) -> BlockPlan? {
        state.withLock { $0.policy.plan(name, oldBytes: oldBytes, newBytes: newBytes) }
    }

    /// Whether what was learned since it was decided says that a description does not pay.
    func isOutdated(_ description: DeltaDescription) -> Bool {
        guard let kind = description.kind, !description.isProbe else { return false }
        return isPoor(kind)
    }

    func isPoor(_ kind: DeltaPolicy.Kind) -> Bool { state.withLock { $0.policy.isPoor(kind) } }

    func learn(_ kind: DeltaPolicy.Kind, bytes: Int64, matchedBytes: Int64) {
        state.withLock { $0.policy.learn(kind, bytes: bytes, matchedBytes: matchedBytes) }
    }

    /// Takes more to describe, and gives what there is room for.
    func exchange(_ descriptions: [DeltaDescription]) -> [DeltaDescription] {
        state.withLock { state in
            state.waiting.append(contentsOf: descriptions)
            return takeReady(&state)
        }
    }

    /// A version is of no more use: gives what there is room for now.
    func release(_ plan: BlockPlan) -> [DeltaDescription] {
        state.withLock { state in
            state.files -= 1
            state.blocks -= plan.blockCount
            return takeReady(&state)
        }
    }

    private func takeReady(_ state: inout State) -> [DeltaDescription] {
        var ready: [DeltaDescription] = []
        while let next = state.waiting.first, state.files < filesMax,
            state.blocks + next.plan.blockCount <= WireLimit.basisBlocks
        {
            state.waiting.removeFirst()
            state.files += 1
            state.blocks += next.plan.blockCount
            ready.append(next)
        }
        return ready
    }
}
