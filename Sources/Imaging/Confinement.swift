internal import CLinux
internal import Glibc

/// What a child gives up besides limits. Denying calls is a must: it closes the network and, in a decoder, everything that
/// changes files. The others are done where the kernel can.
enum Confinement {
    /// Whether this kernel can confine files: Landlock, since Linux 5.13, where it is switched on.
    static var canConfineFiles: Bool { mds_can_confine_files() > 0 }

    /// - Returns: false where the kernel could, and it went wrong.
    static func leaveNetworkAndFiles(readable: [Int32], writable: [Int32]) -> Bool {
        // Sockets are denied as well; a network without interfaces only stands behind that.
        _ = mds_leave_network()
        if !canConfineFiles { return true }
        return mds_confine_files(readable, Int32(readable.count), writable, Int32(writable.count)) == 0
    }

    /// Leaves the processor to whoever has little to do, first of all to what fetches: an answer that is noticed late makes
    /// its host's next one late. Mastodon itself comes first, too.
    static func yieldProcessor() { _ = nice(5) }

    static func denyCalls(isStrict: Bool) -> Bool { mds_deny_calls(isStrict ? 1 : 0) == 0 }
}
