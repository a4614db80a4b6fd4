import MediaModel
import MediasyncTesting
import Testing

@testable import Storage

/// What modes let another user do.
@Suite struct UserRightsTests {
    private static let place = Result { try TemporaryDirectory() }

    @Test(
        "a file is read, a directory passed, by the owner's, the group's or the others' bit, whichever comes first",
        arguments: [
            (UInt32(0o644), false, UInt32(7), true), (0o640, false, 7, false), (0o604, false, 7, true),
            (0o755, true, 7, true), (0o754, true, 7, false), (0o711, true, 7, true), (0o000, true, 0, true),
        ]
    )
    func others(mode: UInt32, isDirectory: Bool, user: UInt32, expected: Bool) throws {
        let metadata = try Self.metadata(mode, isDirectory: isDirectory)
        #expect(UserRights(user: user, groups: [8_888_888]).mayPass(metadata) == expected)
    }

    @Test("who is in the group or owns the entry has that bit, even where others have more")
    func own() throws {
        let hidden = try Self.metadata(0o404, isDirectory: false)
        #expect(!UserRights(user: 7, groups: [hidden.group]).mayPass(hidden))
        let group = try Self.metadata(0o040, isDirectory: false)
        #expect(UserRights(user: 7, groups: [group.group]).mayPass(group))
        if hidden.owner != 0 { #expect(UserRights(user: hidden.owner, groups: []).mayPass(hidden)) }
    }

    @Test("a user is known by name with the groups it is in; nobody else is")
    func named() {
        #expect(UserRights(named: "root")?.user == 0)
        #expect(UserRights(named: "root")?.groups.contains(0) == true)
        #expect(UserRights(named: "no-such-user") == nil)
    }

    private static func metadata(_ mode: UInt32, isDirectory: Bool) throws -> Metadata {
        let path = try place.get().path / "\(mode)-\(isDirectory)"
        if !Disk.exists(path) { if isDirectory { try Disk.makeDirectory(path) } else { try Disk.write(path, "x") } }
        try Disk.setMode(path, mode)
        return try Metadata(ofUserPath: path)
    }
}
