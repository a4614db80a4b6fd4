internal import Glibc

/// What a test needs from the machine. Where it is missing the test is skipped with the reason:
/// `@Test(.enabled(if: Requirement.isRoot, Requirement.rootReason))`.
package enum Requirement {
    package static let isRoot = geteuid() == 0

    /// Whether all of these programs can be run.
    package static func has(_ tools: String...) -> Bool {
        tools.allSatisfy { tool in
            ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"].contains { access("\($0)/\(tool)", X_OK) == 0 }
        }
    }

    /// Root and loop devices: a file system can be made and mounted.
    package static let canMount =
        isRoot && has("losetup", "mount", "mkfs.ext4") && access("/dev/loop-control", W_OK) == 0
    package static let canTrace = isRoot && has("strace")
    package static let hasRsync = has("rsync")
    /// Root, and a way to stop being it.
    package static let canDropRights = isRoot && has("setpriv")
}
