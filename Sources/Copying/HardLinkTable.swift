internal import MediaModel
internal import Storage
internal import Synchronization

/// The names of files that have more than one: the first name met is copied, the others become links to it. An inode is
/// forgotten once all its names were met, so memory follows the inodes whose names lie far apart.
final class HardLinkTable: Sendable {
    /// Where the first name of a file lies in the target.
    struct Place: Sendable {
        let node: DirectoryNode
        let name: BytePath
        /// The target's inode, where it is known without a look.
        let identity: FileIdentity?
    }

    enum Claim: Sendable {
        /// This name is the first: copy it, then call `settle`.
        case first
        /// Another thread is copying the first name.
        case pending
        case published(Place)
    }

    private struct Entry {
        var place: Place?
        /// Names not met yet.
        var remaining: UInt64
    }

    private let entries = Mutex<[FileIdentity: Entry]>([:])

    /// Claims a name of an inode.
    /// - Parameter place: where the name lies already, right as it is: it is the first name at once, without a moment in
    ///   which others would have to wait for it. Nil where it must be copied before others can be linked to it.
    func claim(_ metadata: Metadata, at place: Place? = nil) -> Claim {
        entries.withLock { entries in
            guard var entry = entries[metadata.identity] else {
                entries[metadata.identity] = Entry(place: place, remaining: metadata.linkCount - 1)
                return .first
            }
            guard let place = entry.place else { return .pending }
            entry.remaining -= 1
            entries[metadata.identity] = entry.remaining == 0 ? nil : entry
            return .published(place)
        }
    }

    /// Asks again for a name that was told `pending`, once nothing else is under way.
    func place(of identity: FileIdentity) -> Place? {
        entries.withLock { $0[identity]?.place }
    }

    /// The first name is in place, or (nil) could not be copied, and the next name met is the first again.
    func settle(_ identity: FileIdentity, at place: Place?) {
        entries.withLock { entries in
            guard var entry = entries[identity] else { return }
            if let place {
                entry.place = place
                entries[identity] = entry.remaining == 0 ? nil : entry
            } else {
                entries[identity] = nil
            }
        }
    }
}

/// A name that waits for the first name of its inode.
struct DeferredLink: Sendable {
    let node: DirectoryNode
    let name: BytePath
    let source: Metadata
}
