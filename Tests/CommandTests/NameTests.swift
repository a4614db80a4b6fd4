import MediaModel
import MediasyncTesting
import Testing

/// Any name, any depth, any number.
@Suite struct NameTests {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
    }

    private func expectEqualAfterCopy(
        _ options: [String] = [],
        contents: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try BinaryRunner.copy(options, source, target)
        #expect(result.exitCode == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        let expected = try TreeSnapshot(of: source, contents: contents)
        let differences = try TreeSnapshot(of: target, contents: contents).differences(from: expected)
        #expect(differences.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("every byte but slash and NUL, alone and at both ends of a name")
    func everyByte() throws {
        for byte in UInt8(1)...255 where byte != 0x2F && byte != 0x2E {
            try Disk.write(source / BytePath(bytes: [byte]), [byte])
            try Disk.makeDirectory(source / BytePath(bytes: [byte, 0x20, byte]))
        }
        try expectEqualAfterCopy()
    }

    @Test("pairs that other systems take for one name, 255 bytes, leading dashes, our own look-alikes")
    func strangeNames() throws {
        for name in ["e\u{301}", "\u{e9}", "Name", "name", "NAME", "-rf", "--delete", "...", " ", "~", "a:b"] {
            try Disk.write(source / name, name)
        }
        try Disk.write(source / BytePath(bytes: [UInt8](repeating: 0x61, count: 255)), "long")
        try Disk.makeDirectory(source / BytePath(bytes: [UInt8](repeating: 0xC3, count: 255)))
        try Disk.write(source / ".mediasync-run-not", "x")
        try Disk.write(source / ".mediasync-tmp-x", "x")
        try expectEqualAfterCopy(["--delete"])
    }

    @Test("a tree 750 levels deep, far beyond PATH_MAX, copied, repeated and deleted")
    func deep() throws {
        let name = String(repeating: "d", count: 20)
        var script = "cd \"$0\" && for i in $(seq 750); do mkdir \(name) && cd ./\(name) && echo $i >f || exit 1; done"
        _ = try Program("/bin/bash").check(["-c", script], source)
        try expectEqualAfterCopy()
        let before = try TreeSnapshot(of: target)
        try expectEqualAfterCopy(["--delete"])
        expectNone(try TreeSnapshot(of: target).differences(from: before, in: .all))
        script = "cd \"$0\" && for i in $(seq 700); do cd ./\(name) || exit 1; done; echo changed >f; ln f g; ln -s x y"
        _ = try Program("/bin/bash").check(["-c", script], source)
        try expectEqualAfterCopy(["--delete"])
        Disk.removeTree(source / name)
        try Disk.write(source / "x", "x")
        try expectEqualAfterCopy(["--delete", "--max-delete", "100%"])
    }

    @Test("a deep and wide tree with 256 descriptors, and with 64")
    func fewDescriptors() throws {
        let script = """
            cd "$0" && for i in $(seq 22); do for j in $(seq 22); do mkdir -p $i/$j/x/y && echo $i$j >$i/$j/x/y/f && \
            ln $i/$j/x/y/f $i/$j/l; done; done; mkdir deep; cd deep; for i in $(seq 300); do mkdir d && cd d; done; echo x >f
            """
        _ = try Program("/bin/bash").check(["-c", script], source)
        for limit in ["256", "64"] {
            let result = try BinaryRunner.copy(
                ["--delete"],
                source,
                target / limit,
                wrapper: ["prlimit", "--nofile=\(limit):\(limit)"]
            )
            #expect(result.exitCode == 0, "\(limit): \(result.errorText.prefix(2000))")
            expectNone(try TreeSnapshot(of: target / limit).differences(from: TreeSnapshot(of: source)), "\(limit)")
        }
    }

    @Test("a directory with 100,000 entries, and nothing left to do after it")
    func wide() throws {
        let script = "cd \"$0\" && mkdir wide && cd wide && seq 100000 | xargs -n 5000 touch"
        _ = try Program("/bin/bash").check(["-c", script], source)
        try expectEqualAfterCopy(["--fsync", "none"], contents: false)
        for index in 1...10 { try Disk.remove(source / "wide" / "\(index * 9999)") }
        let run = try BinaryRunner.startCopy(["--delete", "--stats"], source, target)
        var peak = 0
        _ = RunningProgram.eventually(within: 60) {
            peak = max(peak, run.peakBytes)
            return !run.isRunning
        }
        let result = run.wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(result.text.contains("10 deleted"), "\(result.text)")
        // Names are looked at in parts; a hash each is kept only to tell what is extraneous.
        #expect(peak > 1 << 20 && peak < 80 << 20, "\(peak) bytes")
        #expect(!result.text.contains(" copied  "), "\(result.text)")
    }

    @Test("times before 1970 and after 2038, with nanoseconds")
    func times() throws {
        for (index, seconds) in [-315_619_200, -1, 0, 1, 4_070_908_800, 2_147_483_648].enumerated() {
            try Disk.write(source / "f\(index)", "x")
            try Disk.makeDirectory(source / "d\(index)")
            try Disk.makeLink(source / "l\(index)", to: BytePath("x"))
            for kind in ["f", "d", "l"] {
                try Disk.setTime(source / "\(kind)\(index)", seconds, nanoseconds: 999_999_999 - index)
            }
        }
        try expectEqualAfterCopy()
    }
}
