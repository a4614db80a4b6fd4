import MediaModel
import MediasyncTesting
import Testing

/// Everything an entry has beside its content arrives, and arrives when it alone changes.
@Suite(.enabled(if: Requirement.isRoot, "needs root")) struct AttributeTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
    }

    private func expectEqualAfterCopy(
        _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try BinaryRunner.copy(["--delete", "--max-delete", "100%"] + options, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        let expected = try TreeSnapshot(of: source)
        let differences = try TreeSnapshot(of: target).differences(from: expected)
        #expect(differences.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("every permission from 0000 to 7777, for files and directories, with other owners")
    func modes() throws {
        for mode in [0o000, 0o111, 0o222, 0o444, 0o644, 0o700, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777] as [UInt32] {
            for owner in [0, 1000] as [UInt32] {
                for kind in ["f", "d"] {
                    let path = source / "\(kind)\(String(mode, radix: 8))-\(owner)"
                    if kind == "f" { try Disk.write(path, "x") } else { try Disk.makeDirectory(path) }
                    try Disk.setOwner(path, owner, owner)
                    try Disk.setMode(path, mode)
                }
            }
        }
        try expectEqualAfterCopy()
        for name in try Disk.names(in: source) {
            try Disk.setMode(source / name, (Disk.mode(source / name) ?? 0) ^ 0o4001)
        }
        try expectEqualAfterCopy()
        for name in try Disk.names(in: source) {
            let mode = Disk.mode(source / name) ?? 0
            try Disk.setOwner(source / name, 77, 78)
            try Disk.setMode(source / name, mode)
        }
        try expectEqualAfterCopy()
    }

    @Test("links, fifos, sockets and devices are made anew, and follow changes of owner, time and text")
    func specials() throws {
        try Disk.makeLink(source / "link", to: BytePath("/etc/passwd"))
        try Disk.makeLink(source / "dangling", to: BytePath(bytes: [0xFF, 0x0A]))
        try Disk.makeSpecial(source / "fifo", type: 0o010000, mode: 0o600)
        try Disk.makeSpecial(source / "socket", type: 0o140000, mode: 0o666)
        try Disk.makeSpecial(source / "null", type: 0o020000, mode: 0o666, device: 0x103)
        try Disk.makeSpecial(source / "loop", type: 0o060000, mode: 0o640, device: 0x700)
        try expectEqualAfterCopy()
        for name in try Disk.names(in: source) {
            try Disk.setOwner(source / name, 1000, 1001)
            try Disk.setTime(source / name, 1_234_567_890, nanoseconds: 7)
        }
        try expectEqualAfterCopy()
        for name in ["link", "null"] { try Disk.remove(source / name) }
        try Disk.makeLink(source / "link", to: BytePath("elsewhere"))
        try Disk.makeSpecial(source / "null", type: 0o020000, mode: 0o666, device: 0x105)
        try expectEqualAfterCopy()
    }

    @Test("an inherited group, set-group bit and ACL of the target's directories stay out of the copy")
    func inheritance() throws {
        try Disk.makeDirectory(source / "plain", mode: 0o755)
        try Disk.write(source / "plain" / "file", "x", mode: 0o640)
        try Disk.makeDirectory(source / "group", mode: 0o2770)
        try Disk.setOwner(source / "group", 0, 1234)
        try Disk.setMode(source / "group", 0o2770)
        try Disk.write(source / "group" / "file", "x")
        try Disk.setOwner(target, 0, 4321)
        try Disk.setMode(target, 0o2777)
        if Requirement.has("setfacl") {
            try Disk.makeDirectory(target / "plain")
            try Program("setfacl").check(["-d", "-m", "u:1000:rwx,g::rwx,o::rwx"], target / "plain")
            try Disk.makeDirectory(target / "plain" / "sub", mode: 0o2755)
            try Disk.makeDirectory(source / "plain" / "sub")
            try Disk.makeDirectory(source / "plain" / "sub" / "sub")
            try Disk.write(source / "plain" / "sub" / "sub" / "file", "x", mode: 0o604)
            try Program("setfacl").check(["-d", "-m", "u:1001:r"], source / "group")
            try Program("setfacl").check(["-m", "u:1002:rw"], source / "plain" / "file")
        }
        // The ACL is younger than the source: only a full comparison looks for it.
        try expectEqualAfterCopy(["--checksum"])
        Disk.removeTree(target / "plain")
        try Disk.setOwner(target, 0, 4321)
        try Disk.setMode(target, 0o2777)
        try expectEqualAfterCopy()
    }

    @Test(
        "the same with --no-xattrs: modes and groups are the source's",
        .enabled(if: Requirement.has("setfacl"), "needs acl")
    )
    func inheritanceWithoutAttributes() throws {
        try Disk.makeDirectory(source / "dir", mode: 0o700)
        try Disk.write(source / "dir" / "file", "x", mode: 0o604)
        try Disk.setOwner(target, 0, 4321)
        try Disk.setMode(target, 0o2777)
        try Program("setfacl").check(["-d", "-m", "u:1000:rwx"], target)
        let fresh = target / "fresh"
        #expect(try BinaryRunner.copy(["--no-xattrs"], source, fresh).exitCode == 0)
        let snapshot = try TreeSnapshot(of: fresh)
        #expect(try snapshot.differences(from: TreeSnapshot(of: source), in: [.owner, .time]).isEmpty)
        #expect(snapshot["dir/file"]?.mode == 0o604)
    }

    @Test("extended attributes and ACLs are copied, changed and removed with the source's")
    func attributes() throws {
        try Disk.makeDirectory(source / "dir")
        try Disk.write(source / "file", "x")
        try Disk.write(source / "readonly", "x", mode: 0o444)
        for name in ["dir", "file", "readonly"] {
            try Disk.setAttribute(source / name, "user.one", [1, 0, 255])
            try Disk.setAttribute(source / name, "user.empty", [])
            try Disk.setAttribute(source / name, "trusted.two", Array("t".utf8))
        }
        try expectEqualAfterCopy()
        for name in ["dir", "file", "readonly"] { try Disk.setAttribute(source / name, "user.one", [2]) }
        try Program("setfattr").check(["-x", "user.empty"], source / "file")
        try Program("setfattr").check(["-x", "user.empty"], source / "dir")
        if Requirement.has("setfacl") { try Program("setfacl").check(["-m", "u:1002:rwx"], source / "file") }
        try expectEqualAfterCopy()
    }

    @Test("holes stay holes")
    func sparse() throws {
        try Disk.patch(source / "end", at: 40 << 20, Array("end".utf8))
        try Disk.truncate(source / "end", to: 80 << 20)
        try Disk.write(source / "start", [UInt8](repeating: 1, count: 70_000))
        try Disk.truncate(source / "start", to: 50 << 20)
        try Disk.write(source / "empty", [])
        try Disk.truncate(source / "empty", to: 1 << 30)
        try expectEqualAfterCopy()
        for name in ["end", "start", "empty"] {
            let (from, to) = (Disk.blocks(source / name) ?? 0, Disk.blocks(target / name) ?? .max)
            #expect(to <= from + 64, "\(name): \(from) blocks became \(to)")
        }
    }

    @Test("hard links across directories are copied, left alone, made, broken and moved")
    func hardLinks() throws {
        for directory in ["a", "b", "c"] { try Disk.makeDirectory(source / directory) }
        for index in 0..<20 {
            try Disk.write(source / "a" / "f\(index)", "content \(index)")
            for directory in ["b", "c"] {
                try Disk.makeHardLink(source / directory / "g\(index)", to: source / "a" / "f\(index)")
            }
        }
        try expectEqualAfterCopy()
        let before = try TreeSnapshot(of: target)
        try expectEqualAfterCopy()
        expectNone(try TreeSnapshot(of: target).differences(from: before, in: .all))
        // Changed content, broken, newly made, a changed mode, one name removed.
        try Disk.patch(source / "a" / "f0", at: 0, Array("CONTENT".utf8))
        try Disk.remove(source / "b" / "g1")
        try Disk.write(source / "b" / "g1", "alone now")
        try Disk.makeHardLink(source / "d", to: source / "c" / "g2")
        try Disk.setMode(source / "a" / "f3", 0o600)
        try Disk.remove(source / "a" / "f4")
        try Disk.remove(source / "a" / "f5")
        try Disk.makeHardLink(source / "a" / "f5", to: source / "a" / "f6")
        try expectEqualAfterCopy()
    }

    @Test("a link or hard link planted in the target is replaced, never written through")
    func planted() throws {
        let outside = place.path / "outside"
        try Disk.write(outside, "canary", mode: 0o600)
        for name in ["link", "hard", "same", "meta", "amet"] { try Disk.write(source / name, "source", mode: 0o644) }
        try Disk.makeDirectory(source / "dir")
        try Disk.write(source / "dir" / "inside", "x")
        try Disk.makeLink(target / "link", to: outside)
        try Disk.makeHardLink(target / "hard", to: outside)
        try Disk.makeDirectory(place.path / "elsewhere")
        try Disk.makeLink(target / "dir", to: place.path / "elsewhere")
        // Same size and time as the source, so that only attributes would be set.
        let twin = place.path / "twin"
        try Disk.write(twin, "source", mode: 0o600)
        for path in [twin, source / "same", source / "meta"] { try Disk.setTime(path, 1000) }
        try Disk.makeHardLink(target / "same", to: twin)
        // The source's name is one of two, as the target's is.
        try Disk.makeHardLink(source / "meta2", to: source / "meta")
        try Disk.makeHardLink(source / "bmet", to: source / "amet")
        try Disk.setTime(source / "amet", 1000)
        let twin2 = place.path / "twin2"
        try Disk.write(twin2, "source", mode: 0o600)
        try Disk.setTime(twin2, 1000)
        for name in ["meta", "meta2", "amet", "bmet"] { try Disk.makeHardLink(target / name, to: twin2) }
        try Disk.makeLink(target / ".mediasync-run", to: outside)
        let before = try ["outside", "twin", "twin2"].map { name in
            (name, try Disk.text(place.path / name), Disk.mode(place.path / name))
        }
        try expectEqualAfterCopy()
        for (name, text, mode) in before {
            #expect(try Disk.text(place.path / name) == text, "\(name)")
            #expect(Disk.mode(place.path / name) == mode, "\(name)")
        }
        #expect(try Disk.names(in: place.path / "elsewhere").isEmpty)
        try Disk.remove(outside)
        try Disk.write(outside, "canary")
        try Disk.makeHardLink(target / ".mediasync-run", to: outside)
        try Disk.write(source / "new", "x")
        try expectEqualAfterCopy()
        #expect(try Disk.text(outside) == "canary")
    }
}
