internal import CLinux
internal import Glibc
package import MediaModel

/// A system call that failed. Engines ask for its `kind`; people get `syncError`. Small, so that throwing costs nothing.
package struct FileFault: Error, Sendable {
    /// What an engine must tell apart.
    package enum Kind: Sendable {
        /// No such entry, or a parent went away.
        case missing
        case exists
        /// Another kind of entry than asked for, a link among them.
        case wrongKind
        case notEmpty
        case denied
        case readOnly
        /// No space or quota left.
        case noSpace
        case noDescriptors
        /// The file system or kernel cannot do this.
        case unsupported
        /// Two file systems.
        case crossDevice
        case tooLarge
        case wouldBlock
        case other
    }

    /// The call, for messages: `openat`, `fsync`.
    package let call: StaticString
    private let number: Int32

    /// - Parameter result: what a CLinux function returned: -errno.
    init(_ call: StaticString, _ result: Int32) {
        self.call = call
        number = -result
    }

    package var kind: Kind {
        switch number {
        case ENOENT, ESTALE: .missing
        case EEXIST: .exists
        case ENOTDIR, ELOOP, EISDIR: .wrongKind
        case ENOTEMPTY: .notEmpty
        case EACCES, EPERM: .denied
        case EROFS: .readOnly
        case ENOSPC, EDQUOT: .noSpace
        case EMFILE, ENFILE: .noDescriptors
        case EOPNOTSUPP, ENOSYS, EINVAL, ENOTTY, EBADF: .unsupported
        case EXDEV: .crossDevice
        case EFBIG, EOVERFLOW: .tooLarge
        case EWOULDBLOCK: .wouldBlock
        default: .other
        }
    }

    /// `No space left on device (ENOSPC, write)`.
    package var reason: String {
        var buffer = [CChar](repeating: 0, count: 128)
        let text = buffer.withUnsafeMutableBufferPointer { mds_strerror(number, $0.baseAddress, $0.count) }
        return
            "\(text.map { String(cString: $0) } ?? "error \(number)") (\(String(cString: mds_errno_name(number))), \(call))"
    }

    /// The error for a person.
    /// - Parameter what: what could not be done, names escaped: `could not read a/b`.
    package func syncError(_ what: String) -> SyncError {
        let (code, hint, retry) = consequence
        return SyncError(code, what, why: reason, hint: hint, retry: retry)
    }

    /// One row an errno that can happen: what it means for the run, and the remedy.
    private var consequence: (SyncError.Code, String?, SyncError.Retry) {
        switch number {
        case ENOSPC:
            (.exhausted, "free space (or inodes: df -i) on the target and run the same command again", .abortStage)
        case EDQUOT:
            (.exhausted, "raise the quota of the target's owner and run the same command again", .abortStage)
        case EMFILE:
            (.exhausted, "raise the descriptor limit (ulimit -n) or pass fewer --jobs", .abortStage)
        case ENFILE:
            (.exhausted, "the system's file table is full (sysctl fs.file-max)", .abortStage)
        case ENOMEM:
            (.exhausted, "the machine is out of memory", .abortStage)
        case EROFS:
            (.unusable, "the target is mounted read-only: mount it read-write", .abortStage)
        case EACCES:
            (.item, "run as root or as the owner of the files", .never)
        case EPERM:
            (.item, "the entry may be immutable (lsattr) or belong to another user", .never)
        case EIO:
            (.item, "the disk or its file system has errors: see dmesg", .never)
        case ENOENT, ESTALE:
            (.item, "something else removed it while this run worked: run the same command again", .backOff)
        case ENAMETOOLONG:
            (.item, "the target's file system does not allow names this long", .never)
        case EFBIG:
            (.item, "the target's file system or ulimit -f does not allow files this large", .never)
        case EILSEQ, EINVAL:
            (.item, "the target's file system does not accept this name or value", .never)
        case ETXTBSY, EBUSY:
            (.item, "the entry is in use", .backOff)
        default:
            (.item, nil, .never)
        }
    }
}

/// Turns a CLinux result into a value or a thrown fault.
@inline(__always)
func check(_ call: StaticString, _ result: Int32) throws(FileFault) -> Int32 {
    if result < 0 { throw FileFault(call, result) }
    return result
}

@inline(__always)
func check(_ call: StaticString, _ result: Int) throws(FileFault) -> Int {
    if result < 0 { throw FileFault(call, Int32(truncatingIfNeeded: result)) }
    return result
}

@inline(__always)
func check(_ call: StaticString, _ result: Int64) throws(FileFault) -> Int64 {
    if result < 0 { throw FileFault(call, Int32(truncatingIfNeeded: result)) }
    return result
}
