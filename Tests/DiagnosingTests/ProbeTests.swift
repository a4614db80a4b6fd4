import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Diagnosing

/// What is found on a disk and among programs.
@Suite struct ProbeTests {
    /// A media root with one file of each half.
    private static func root(_ place: TemporaryDirectory) throws -> BytePath {
        let root = place.path / "system"
        for folder in ["accounts/avatars/000/000/001/original", "cache/accounts/headers/000/000/002/original"] {
            var path = root
            if !Disk.exists(path) { try Disk.makeDirectory(path) }
            for part in folder.split(separator: "/") {
                path = path / String(part)
                if !Disk.exists(path) { try Disk.makeDirectory(path) }
            }
            try Disk.write(path / "a.png", "x")
        }
        return root
    }

    private static func look(_ root: BytePath, webUser: String? = "nobody") -> MediaFacts {
        MediaProbe.run(.success((path: root, origin: "here")), webUser: webUser)
    }

    @Test("a root with media: folders, room, owner, and that others can read it")
    func media() throws {
        let place = try TemporaryDirectory()
        let facts = Self.look(try Self.root(place))
        #expect(facts.error == nil)
        #expect(facts.root?.origin == "here")
        #expect(facts.names == [BytePath("accounts"), BytePath("cache")])
        #expect(facts.links.isEmpty && facts.mounts.isEmpty)
        #expect(facts.isWritable && !facts.isReadOnlyMount)
        #expect(facts.space.bytes > facts.space.freeBytes && facts.space.freeBytes > 0)
        #expect(facts.owner.hasSuffix(" 0755"))
        #expect(facts.webUser == "nobody")
        #expect(facts.blocked == nil)
        #expect(facts.sampledFiles == 2)
    }

    @Test(
        "what keeps the web server out is named: above the root, on the way, the file itself",
        arguments: [
            ("", "", UInt32(0o700)), ("system", "system", 0o750),
            ("system/accounts/avatars", "system/accounts/avatars", 0o750),
            ("system/cache/accounts/headers/000/000/002/original/a.png", "", 0o640),
        ]
    )
    func blocked(closed: String, named: String, mode: UInt32) throws {
        let place = try TemporaryDirectory()
        let root = try Self.root(place)
        let path = closed.isEmpty ? place.path : place.path / closed
        try Disk.setMode(path, mode)
        let facts = Self.look(root)
        #expect(facts.blocked == MediaFacts.Blocked(path: path, hasAccessList: false))
        try Disk.setMode(path, 0o755)
        #expect(Self.look(root).blocked == nil)
    }

    @Test("a file that its owner alone may read is hidden on purpose")
    func hidden() throws {
        let place = try TemporaryDirectory()
        let root = try Self.root(place)
        try Disk.setMode(root / "accounts/avatars/000/000/001/original/a.png", 0o600)
        let facts = Self.look(root)
        #expect(facts.blocked == nil)
        #expect(facts.sampledFiles == 1)
    }

    @Test("a folder that is a link is told, and so is a root that is not there or nobody's user")
    func others() throws {
        let place = try TemporaryDirectory()
        let root = try Self.root(place)
        try Disk.makeLink(root / "media_attachments", to: BytePath("/tmp"))
        #expect(Self.look(root).links == [BytePath("media_attachments")])
        let missing = Self.look(place.path / "none")
        #expect(missing.error?.code == .unusable)
        #expect(missing.root != nil)
        #expect(Self.look(root, webUser: "no-such-user").webUser == nil)
        let unknown = MediaProbe.run(.failure(SyncError(.configuration, "x")), webUser: nil)
        #expect(unknown.error?.code == .configuration)
    }

    @Test("a program is found by name or place, and asked for its version; one that fails or is not there has none")
    func programs() throws {
        let place = try TemporaryDirectory()
        func write(_ name: String, _ script: String) throws -> BytePath {
            let path = place.path / name
            try Disk.write(path, "#!/bin/sh\n\(script)\n")
            try Disk.setMode(path, 0o755)
            return path
        }
        _ = try write("ffmpeg", "echo 'ffmpeg version 8.1.2-x Copyright (c)'; echo more")
        let failing = try write("failing", "echo 'x version 1'; exit 3")
        let path = place.path.description
        let found = ToolProbe.program(.ffmpeg, named: nil, searchPath: "relative:/nonexistent:\(path)")
        #expect(found == ToolFacts(.ffmpeg, place: Sourced("\(path)/ffmpeg", "PATH"), version: "8.1.2-x"))
        let named = Sourced(failing.description, "FFPROBE_BINARY")
        let broken = ToolProbe.program(.ffprobe, named: named, searchPath: "")
        #expect(broken == ToolFacts(.ffprobe, place: named, version: nil))
        #expect(ToolProbe.program(.ffmpeg, named: nil, searchPath: "/nonexistent").place == nil)
        let loud = try write("loud", "while :; do echo x; done")
        let shouting = ToolProbe.program(.ffmpeg, named: Sourced(loud.description, "x"), searchPath: "")
        #expect(shouting.place != nil && shouting.version == nil)
    }

    @Test(
        "a version is the word behind `version` in the first line",
        arguments: [
            ("ffmpeg version 5.1.6-0+deb12u1 Copyright", "5.1.6-0+deb12u1"), ("version", nil), ("", nil),
            ("usage: x\nx version 2", nil), ("x version \u{1B}[2J", "\\x1b[2J"),
        ]
    )
    func versions(answer: String, expected: String?) {
        #expect(ToolProbe.version(in: answer) == expected)
    }

    @Test("a library is loaded by name; one that is none of libvips' tells no version")
    func libraries() {
        #expect(ToolProbe.library(named: "libnothing.so.0") == ToolFacts(.libvips, place: nil, version: nil))
        let other = ToolProbe.library(named: "libc.so.6")
        #expect(other.place?.value == "libc.so.6")
        #expect(other.version == nil)
    }
}
