/// rsync's `--chmod`: a comma-separated list of `chmod` changes, each for directories (`D`), files (`F`) or both, e.g.
/// `D2755,F644,u+rwX,go-w`.
///
/// As in rsync: a change without `u`, `g`, `o`, `a` is held back by the umask; `X` asks whether the mode had an execute
/// bit before the first change; an octal number replaces all twelve bits.
package struct ModeRules: Sendable, Equatable {
    /// Whom a change is for.
    enum Scope: Sendable { case all, directories, files }

    enum Operation: Sendable { case add, remove, set }

    /// What a change adds, removes or sets.
    enum Bits: Sendable, Equatable {
        /// Permission bits, with `X` kept from files that nobody may execute.
        case fixed(UInt32, keepsExecute: Bool)
        /// The three bits at this shift, for each class in `who`, within the umask's complement.
        case copied(shift: UInt32, mask: UInt32)
    }

    struct Change: Sendable, Equatable {
        var scope: Scope
        var operation: Operation
        /// The lowest bit of each class that is meant, e.g. 0o110 for `ug`.
        var who: UInt32
        /// Bits that `set` clears.
        var cleared: UInt32
        var bits: Bits
    }

    private let changes: [Change]
    /// What was parsed, and with which umask: another machine makes the same rules of it.
    package let text: String
    package let umask: UInt32

    /// - Parameter umask: what a change that names no class must not grant.
    package init(parsing text: String, umask: UInt32 = 0o022) throws(SyncError) {
        var changes: [Change] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let change = ModeRuleParser(umask: umask).parse(part.utf8) else {
                let shown = BytePath.escaped(Array(text.utf8))
                throw SyncError(
                    .usage,
                    "--chmod \(shown) is no list of modes",
                    hint: "e.g. --chmod D2755,F644 or --chmod u+rwX,go-w"
                )
            }
            changes.append(change)
        }
        self.changes = changes
        self.text = text
        self.umask = umask
    }

    /// The mode after all changes. Bits above the twelve of permission are kept.
    package func apply(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        let hadExecute = mode & 0o111 != 0
        var result = mode & 0o7777
        for change in changes {
            switch change.scope {
            case .directories where !isDirectory: continue
            case .files where isDirectory: continue
            default: break
            }
            let bits: UInt32
            switch change.bits {
            case .fixed(let fixed, let keepsExecute):
                // What `-` takes away does not depend on `X`.
                let withholds = keepsExecute && !isDirectory && !hadExecute && change.operation != .remove
                bits = withholds ? fixed & ~0o111 : fixed
            case .copied(let shift, let mask):
                bits = (result >> shift & 7) * change.who & mask
            }
            switch change.operation {
            case .add: result |= bits
            case .remove: result &= ~bits
            case .set: result = result & ~change.cleared | bits
            }
        }
        return mode & ~0o7777 | result
    }
}
