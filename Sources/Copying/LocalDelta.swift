internal import Delta
internal import MediaModel
internal import Storage
internal import Synchronization

/// Whether files of a copy within one machine are made from their older versions in the target.
///
/// On an ordinary disk it never pays: the whole file is written in any case, so that no name ever has half of it, and reading
/// the older version comes on top. It pays where ranges can be taken over without their bytes: on file systems that share
/// blocks, whose snapshots keep what did not change, and on servers that copy by themselves.
final class LocalDelta: Sendable {
    /// Btrfs, XFS, bcachefs; NFS, SMB by both of its numbers. FUSE is not among them: it hands such copies to few of its
    /// file systems, and everything would be read and written through it once more.
    private static let copiersOfRanges: Set<UInt64> = [
        0x9123_683E, 0x5846_5342, 0xCA45_1A4E, 0x6969, 0xFE53_4D42, 0xFF53_4D42,
    ]
    /// File systems share whole blocks of this size.
    private static let alignment = 4096

    private let policy: Mutex<DeltaPolicy>
    private let mode: CopyOptions.DeltaMode
    private let rangesAreTaken: Atomic<Bool>

    /// Whether the file system is asked to take ranges over.
    var takesRanges: Bool { rangesAreTaken.load(ordering: .relaxed) }

    /// - Parameter sharesSource: both ends are on one file system: where that shares blocks, the source's are shared.
    init(_ mode: CopyOptions.DeltaMode, target: HeldDirectory, sharesSource: Bool) {
        self.mode = mode
        policy = Mutex(DeltaPolicy(mode))
        let type = target.isOpen ? try? target.fileSystemType() : nil
        rangesAreTaken = Atomic(!sharesSource && type.map(Self.copiersOfRanges.contains) ?? false)
    }

    /// How an older version is to be looked at; nil where the file is copied whole.
    func plan(_ name: BytePath, _ source: Metadata, _ existing: Metadata?) -> BlockPlan? {
        guard mode == .always || takesRanges, let existing, existing.kind == .file, !source.isSparse,
            let plan = policy.withLock({ $0.plan(name, oldBytes: existing.size, newBytes: source.size) })
        else { return nil }
        let blockBytes = (plan.blockBytes + Self.alignment - 1) / Self.alignment * Self.alignment
        return BlockPlan(fileBytes: plan.fileBytes, blockBytes: blockBytes, strongBytes: 8)
    }

    func learn(_ name: BytePath, _ source: Metadata, _ plan: BlockPlan, matchedBytes: Int64) {
        let kind = DeltaPolicy.Kind(name, keepsSize: plan.fileBytes == source.size)
        policy.withLock { $0.learn(kind, bytes: source.size, matchedBytes: matchedBytes) }
    }

    /// The file system does not take ranges over after all.
    func refuseRanges() {
        rangesAreTaken.store(false, ordering: .relaxed)
    }
}
