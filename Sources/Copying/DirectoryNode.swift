internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// One directory of a walk: the source's and the target's descriptor while they are needed, and the way up for messages.
///
/// A node is held by its own listing, by every batch of its entries, by every child directory not yet opened and by every
/// file not yet published. When the last hold goes, the directory's own attributes are made final and its descriptors
/// are closed; the node then lives on as a link in its descendants' path.
///
/// Sendable without checks: `holds`, `bundles` and `flags` are atomic. The other fields are written by the one worker that opens the
/// node (or lists it), before it hands out holds; handing over goes through the walk's lock, and closing happens after
/// the last hold was released (acquiring-and-releasing order).
final class DirectoryNode: @unchecked Sendable {
    /// What is known of the target's directory.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt32
        /// Made by this run: nothing in it needs to be looked up.
        static let fresh = Flags(rawValue: 1)
        /// Not there, and not made (dry run): everything below counts as new.
        static let absent = Flags(rawValue: 2)
        /// An entry of it was changed: its own time must be set again and the directory be made durable.
        static let dirty = Flags(rawValue: 4)
        /// Its permissions were widened for the work and are set last.
        static let lateMode = Flags(rawValue: 8)
        /// New entries inherit an ACL, a group or a set-group bit from it.
        static let inherits = Flags(rawValue: 16)
        /// Whether `inherits` was looked up.
        static let inheritanceKnown = Flags(rawValue: 32)
        /// The descriptors were closed early to stay under the limit; children reopen them by path.
        static let evicted = Flags(rawValue: 64)
        /// Listing it failed: nothing of its target may be deleted.
        static let unlisted = Flags(rawValue: 128)
        /// It could not be handled; the failure is on the account.
        static let failed = Flags(rawValue: 256)
        /// The target's directory has entries that the source does not have.
        static let hasExtraneous = Flags(rawValue: 512)
        /// The root: its descriptors stay open to the end of the run.
        static let keepsHandles = Flags(rawValue: 1024)
        /// On another device than the target's root.
        static let otherDevice = Flags(rawValue: 2048)
        /// Other threads of the walk than the one that listed it may hold it.
        static let shared = Flags(rawValue: 4096)
        /// Another machine was told of it with all that it has: nothing more is said of it.
        static let told = Flags(rawValue: 8192)
    }

    private(set) var parent: DirectoryNode?
    /// The entry's name, ending in NUL; empty for the root.
    let name: UnsafeMutablePointer<CChar>
    let nameLength: Int
    /// 0 for the root.
    let depth: Int

    var source = HeldDirectory.none
    var target = HeldDirectory.none
    /// What the target's directory must have in the end.
    var wanted = Attributes.none
    /// What differs from the target, decided when the pair was opened.
    var changes = ChangeSet.nothing
    /// Seeded hashes of the source's names, kept only where the target is listed as well.
    var nameHashes: [Int] = []
    /// The hashes again, sorted, of a directory with extraneous entries whose source is on another machine.
    var sentNames: [Int] = []
    /// The source's extended attributes where the source is on another machine.
    var sentAttributes: [ExtendedAttribute] = []
    /// The number another machine knows it by.
    var wireID: UInt32 = 0
    /// Children of which another machine was told with all that they have.
    let bundles = Atomic<UInt32>(0)
    /// Why its listing failed, for the other machine.
    var wireFailure: SyncError?
    /// Entries of the summary that was sent of it or of a directory above it and was not the same over there; 0 where there was none.
    var summarizedEntries = 0
    /// Set when the first listing part was read.
    var isListing = false
    /// Counts the pairs that are open, all workers together.
    let budget: DescriptorBudget
    private var isCounted = false

    private let holds = Atomic<Int>(1)
    private let flagBits = Atomic<UInt32>(0)

    /// The root of a walk.
    convenience init(root budget: DescriptorBudget) {
        self.init(parent: nil, budget: budget, name: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    convenience init(parent: DirectoryNode, name: UnsafeRawBufferPointer) {
        self.init(parent: parent, budget: parent.budget, name: name)
    }

    private init(parent: DirectoryNode?, budget: DescriptorBudget, name: UnsafeRawBufferPointer) {
        self.parent = parent
        self.budget = budget
        depth = parent.map { $0.depth + 1 } ?? 0
        nameLength = name.count
        self.name = .allocate(capacity: name.count + 1)
        if let base = name.baseAddress {
            UnsafeMutableRawPointer(self.name).copyMemory(from: base, byteCount: name.count)
        }
        self.name[name.count] = 0
    }

    deinit {
        name.deallocate()
        closeHandles()
        // Let go of the ancestors one by one: a chain a hundred thousand long must not recurse.
        var next = parent
        parent = nil
        while isKnownUniquelyReferenced(&next) {
            let above = next?.parent
            next?.parent = nil
            next = above
        }
    }

    /// Counts the pair against the budget, once it is open.
    func countAsOpen() {
        isCounted = true
        budget.openPairs.wrappingAdd(1, ordering: .relaxed)
    }

    /// Closes both descriptors.
    func closeHandles() {
        source.close()
        target.close()
        source = .none
        target = .none
        if isCounted {
            isCounted = false
            budget.openPairs.wrappingSubtract(1, ordering: .relaxed)
            budget.onClose?()
        }
    }

    func hold() {
        holds.wrappingAdd(1, ordering: .relaxed)
    }

    /// Gives one hold back; true where it was the last.
    func release() -> Bool {
        holds.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    var holdCount: Int { holds.load(ordering: .acquiring) }

    var flags: Flags { Flags(rawValue: flagBits.load(ordering: .acquiring)) }

    func set(_ flags: Flags) {
        if self.flags.isSuperset(of: flags) { return }
        flagBits.bitwiseOr(flags.rawValue, ordering: .acquiringAndReleasing)
    }

    /// The path from the root.
    func path() -> BytePath { path(to: UnsafeRawBufferPointer(start: nil, count: 0)) }

    func path(of name: EntryName) -> BytePath {
        var length = 0
        while name[length] != 0 { length += 1 }
        return path(to: UnsafeRawBufferPointer(start: name, count: length))
    }

    func path(of name: BytePath) -> BytePath { name.bytes.withUnsafeBytes { path(to: $0) } }

    /// In one piece of memory, from behind: a sender needs one for every file.
    /// - Parameter name: in this directory; empty for the directory itself.
    private func path(to name: UnsafeRawBufferPointer) -> BytePath {
        var count = name.count
        forEachUpwards { count += $0.nameLength + (count > 0 ? 1 : 0) }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(buffer)
            var start = count
            func put(_ name: UnsafeRawBufferPointer) {
                if start < count {
                    start -= 1
                    room[start] = UInt8(ascii: "/")
                }
                start -= name.count
                UnsafeMutableRawBufferPointer(rebasing: room[start...]).copyMemory(from: name)
            }
            if !name.isEmpty { put(name) }
            forEachUpwards { put(UnsafeRawBufferPointer(start: $0.name, count: $0.nameLength)) }
            filled = count
        }
        return BytePath(bytes: bytes)
    }

    /// This one and those above it, without the root.
    private func forEachUpwards(_ body: (DirectoryNode) -> Void) {
        var node: DirectoryNode? = self
        while let current = node, current.depth > 0 {
            body(current)
            node = current.parent
        }
    }

    /// The nodes from the root's child down to this one.
    func chain() -> [DirectoryNode] {
        var chain: [DirectoryNode] = []
        var node: DirectoryNode? = self
        while let current = node, current.depth > 0 {
            chain.append(current)
            node = current.parent
        }
        return chain.reversed()
    }
}

/// Hashes of names, seeded for each process: an attacker cannot make two names collide.
enum NameHash {
    static func of(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }
}

/// How many directory pairs may be open before children are reopened by path instead of through their parent.
final class DescriptorBudget: Sendable {
    let openPairs = Atomic<Int>(0)
    let maximum: Int
    /// Told of each pair that is closed.
    let onClose: (@Sendable () -> Void)?

    init(maximum: Int, onClose: (@Sendable () -> Void)? = nil) {
        self.maximum = maximum
        self.onClose = onClose
    }

    var isSpent: Bool { openPairs.load(ordering: .relaxed) > maximum }
}

/// Opens the directories of a chain again from a held root, one component at a time, following no link. Waits a while
/// where no descriptor is left.
func reopen(
    _ node: DirectoryNode,
    from root: HeldDirectory,
    _ control: RunControl
) throws(FileFault) -> HeldDirectory {
    try withPatience(control) { () throws(FileFault) in try reopen(node, from: root) }
}

private func reopen(_ node: DirectoryNode, from root: HeldDirectory) throws(FileFault) -> HeldDirectory {
    var current = try root.duplicate()
    for step in node.chain() {
        let next: HeldDirectory
        do throws(FileFault) {
            next = try current.openDirectory(step.name)
        } catch {
            current.close()
            throw error
        }
        current.close()
        current = next
    }
    return current
}
