internal import Glibc
package import MediaModel

/// Users and groups by name, as `--chown` takes them.
package enum AccountNames {
    /// The user's number; plain digits are taken as they are.
    package static func user(_ name: String) throws(SyncError) -> UInt32 {
        if let number = UInt32(name) { return number }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        let result = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard result == 0, found != nil else { throw unknown("user", name) }
        return entry.pw_uid
    }

    /// The group's number; plain digits are taken as they are.
    package static func group(_ name: String) throws(SyncError) -> UInt32 {
        if let number = UInt32(name) { return number }
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        let result = getgrnam_r(name, &entry, &buffer, buffer.count, &found)
        guard result == 0, found != nil else { throw unknown("group", name) }
        return entry.gr_gid
    }

    /// A user for people: the name where there is one, else the number.
    package static func shown(user: UInt32) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return String(user) }
        return BytePath(name: entry.pw_name).description
    }

    /// A group for people.
    package static func shown(group: UInt32) -> String {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard getgrgid_r(group, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return String(group) }
        return BytePath(name: entry.gr_name).description
    }

    private static func unknown(_ kind: String, _ name: String) -> SyncError {
        SyncError(
            .usage,
            "there is no \(kind) \(BytePath(name)) on this machine",
            hint: "give a name that `getent` knows, or a number"
        )
    }
}
