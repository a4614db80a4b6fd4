internal import CLinux
internal import Glibc
package import MediaModel

/// A user of this machine and what modes let them do. Access lists are not looked at: `hasAccessList` says where one is.
package struct UserRights: Sendable, Equatable {
    package let user: UInt32
    package let groups: Set<UInt32>

    package init(user: UInt32, groups: Set<UInt32>) {
        self.user = user
        self.groups = groups
    }

    /// A user by name, with all their groups; nil where there is none.
    package init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        var groups = [gid_t](repeating: 0, count: 1024)
        var count = Int32(groups.count)
        guard getgrouplist(name, entry.pw_gid, &groups, &count) >= 0 else { return nil }
        self.init(user: entry.pw_uid, groups: Set(groups.prefix(Int(count))))
    }

    /// Whether a file may be read, or a directory passed on the way to one.
    package func mayPass(_ metadata: Metadata) -> Bool {
        if user == 0 { return true }
        let wanted: UInt32 = metadata.kind == .directory ? 0o1 : 0o4
        if metadata.owner == user { return metadata.mode & (wanted << 6) != 0 }
        if groups.contains(metadata.group) { return metadata.mode & (wanted << 3) != 0 }
        return metadata.mode & wanted != 0
    }

    /// Whether an entry has an access list beside its mode.
    package static func hasAccessList(_ path: BytePath) -> Bool { path.withEntryName { mds_has_access_list($0) } > 0 }
}

extension Metadata {
    /// Of a path that the user named; links are followed.
    package init(ofUserPath path: BytePath) throws(FileFault) {
        var stat = mds_stat()
        _ = try path.withEntryName { (path) throws(FileFault) in try check("stat", mds_stat_path(path, &stat)) }
        self.init(stat)
    }
}

extension BytePath {
    /// The path of the same place without links; the path itself where it cannot be told.
    package var resolvingLinks: BytePath {
        let path = withEntryName { realpath($0, nil) }
        defer { free(path) }
        return path.map { BytePath(name: $0) } ?? self
    }
}
