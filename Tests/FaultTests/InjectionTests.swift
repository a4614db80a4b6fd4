import MediaModel
import MediasyncTesting
import Testing

/// Every system call of a copy fails once: the run is honest about it, tears nothing, and the next run heals.
@Suite(.serialized, .enabled(if: Requirement.canTrace, "needs root and strace")) struct InjectionTests {
    /// One call, the errors it is given, and the paths on which it is met: programs open, look at and read many other
    /// things.
    struct Fault: Sendable, CustomTestStringConvertible {
        enum Place { case anywhere, directories, files }

        let call: String
        let errors: [String]
        var place = Place.anywhere
        var testDescription: String { call }
    }

    static let faults = [
        Fault(call: "openat", errors: ["EIO", "EACCES", "EMFILE", "ENOSPC"], place: .directories),
        Fault(call: "newfstatat", errors: ["EIO", "ENOMEM"], place: .directories),
        Fault(call: "getdents64", errors: ["EIO", "ENOENT"]),
        Fault(call: "readlinkat", errors: ["EIO", "ENAMETOOLONG"]),
        Fault(call: "read", errors: ["EIO", "ESTALE"], place: .files),
        Fault(call: "pread64", errors: ["EIO"], place: .files),
        Fault(call: "write", errors: ["ENOSPC", "EDQUOT"]),
        Fault(call: "pwrite64", errors: ["EIO", "EFBIG"]),
        Fault(call: "ftruncate", errors: ["EFBIG", "EIO"]),
        Fault(call: "fsync", errors: ["EIO", "ENOSPC", "EDQUOT"]),
        Fault(call: "renameat", errors: ["EIO", "EACCES", "ENOSPC"]),
        Fault(call: "renameat2", errors: ["EIO", "EROFS", "EPERM"]),
        Fault(call: "mkdirat", errors: ["ENOSPC", "EACCES", "EMLINK"]),
        Fault(call: "unlinkat", errors: ["EIO", "EPERM", "EBUSY"]),
        Fault(call: "linkat", errors: ["EMLINK", "EIO", "EPERM"]),
        Fault(call: "symlinkat", errors: ["ENOSPC", "EIO"]),
        Fault(call: "mknodat", errors: ["EPERM", "ENOSPC"]),
        Fault(call: "fchmod", errors: ["EPERM", "EIO"]),
        Fault(call: "fchown", errors: ["EPERM", "EIO"]),
        Fault(call: "fchownat", errors: ["EPERM", "EINVAL"]),
        Fault(call: "utimensat", errors: ["EPERM", "EIO"]),
        Fault(call: "flistxattr", errors: ["EIO", "E2BIG"]),
        Fault(call: "fgetxattr", errors: ["EIO"]),
        Fault(call: "fsetxattr", errors: ["ENOSPC", "EIO", "EPERM"]),
        Fault(call: "lseek", errors: ["EIO"]),
        Fault(call: "flock", errors: ["EIO", "ENOLCK"]),
    ]

    @Test("a call that fails is reported by errno and path, and nothing else is lost", arguments: faults)
    func inject(fault: Fault) throws {
        for (index, error) in fault.errors.enumerated() {
            for position in [1, 2 + index] {
                try check(fault, error, position)
            }
        }
    }

    private func check(_ fault: Fault, _ error: String, _ position: Int) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let (tree, directories) = try makeTrees(source, target)
        var wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(fault.call)"]
        switch fault.place {
        case .anywhere: break
        case .directories:
            for directory in directories { wrapper += ["-P", "\(source / directory)", "-P", "\(target / directory)"] }
        case .files:
            for file in ["d1/f1", "d2/f2", "d3/f3", "new/sparse"] { wrapper += ["-P", "\(source / file)"] }
        }
        wrapper += ["-e", "inject=\(fault.call):error=\(error):when=\(position)"]
        let options = ["--delete", "--max-delete", "100%"]
        let result = try BinaryRunner.copy(options, source, target, wrapper: wrapper, timeout: 30)
        let label: Comment = "\(fault.call) \(error) \(position): exit \(result.exitCode ?? -1): \(result.errorText)"
        #expect(result.exitCode != nil && !result.timedOut, label)
        expectNone(try tree.tornFiles(), label)
        let after = try TreeSnapshot(of: target)
        if result.exitCode == 0 {
            expectNone(after.differences(from: try TreeSnapshot(of: source)), label)
        } else {
            // A write that failed may have been the message itself.
            #expect(result.errorText.contains(error) || fault.call == "write", label)
            if ![10, 14].contains(result.exitCode) { try expectOthersCopied(source, after, result, label) }
        }
        if fault.call != "unlinkat" { expectNone(after.litter, label) }
        let next = try BinaryRunner.copy(options, source, target)
        #expect(next.exitCode == 0, "\(label) then: \(next.errorText)")
        expectNone(try tree.differences(), label)
    }

    /// Files that no message names, nor a directory above them, are equal to the source's.
    private func expectOthersCopied(
        _ source: BytePath,
        _ after: TreeSnapshot,
        _ result: Program.Result,
        _ label: Comment
    ) throws {
        let expected = try TreeSnapshot(of: source)
        for (path, entry) in expected.entries where entry.kind == .file {
            let parts = path.description.split(separator: "/")
            let isNamed = (1...parts.count).contains {
                result.errorText.contains(parts.prefix($0).joined(separator: "/"))
            }
            if isNamed || result.errorText.contains("directory .") { continue }
            #expect(after.entries[path]?.contentHash == entry.contentHash, "\(path) is missing: \(label)")
        }
    }

    /// One of every kind: old and new files, large and sparse ones, links, hard links, attributes, extraneous entries.
    private func makeTrees(_ source: BytePath, _ target: BytePath) throws -> (SelfCheckingTree, [String]) {
        let tree = try SelfCheckingTree(source: source, target: target, files: 14, seed: 77, bytesMax: 300_000)
        try Disk.makeDirectory(source / "new", mode: 0o2750)
        try Disk.makeDirectory(source / "new" / "below")
        try Disk.write(source / "new" / "below" / "file", "x")
        try Disk.makeHardLink(source / "new" / "hard", to: source / "d1" / "f1")
        try Disk.makeLink(source / "new" / "link", to: BytePath("below/file"))
        try Disk.makeSpecial(source / "new" / "fifo", type: 0o010000)
        try Disk.patch(source / "new" / "sparse", at: 500_000, [1])
        try Disk.write(source / "new" / "owned", "x", mode: 0o4755)
        try Disk.setOwner(source / "new" / "owned", 1000, 1000)
        try Disk.setMode(source / "new" / "owned", 0o4755)
        try Disk.setAttribute(source / "new" / "owned", "user.a", [1])
        try Disk.setAttribute(source / "new" / "below", "user.a", [1])
        try Disk.makeDirectory(target / "old")
        try Disk.write(target / "old" / "file", "x")
        return (tree, ["", "d0", "d1", "d2", "d3", "d4", "new", "new/below", "old"])
    }

    @Test(
        "an error of fsync is final: the file is not given its name and is named as failed",
        arguments: ["EIO", "EDQUOT"]
    )
    func fsyncFails(error: String) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        let tree = try SelfCheckingTree(source: source, target: target, files: 300, seed: 78, bytesMax: 20_000)
        // Each thread's third call and all after it: the first two of one thread are the marker's.
        let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"]
        let result = try BinaryRunner.copy(
            ["--json"],
            source,
            target,
            wrapper: wrapper + ["-e", "inject=fsync:error=\(error):when=3+"]
        )
        #expect(result.exitCode == (error == "EIO" ? 3 : 14), "\(result.errorText.prefix(1000))")
        #expect((result.text + result.errorText).contains("(\(error), fsync)"))
        let missing = try tree.missingFiles()
        #expect(!missing.isEmpty)
        // The text names the first ones only; JSON names every one.
        if error == "EIO" {
            let failed = result.lines.filter { $0.contains("\"outcome\":\"failed\"") }
            for entry in missing {
                let path = "\"path\":\"\(entry.prefix { $0 != " " })\""
                #expect(failed.contains { $0.contains(path) }, "\(entry)")
            }
        }
        expectNone(try tree.tornFiles())
        expectNone(try TreeSnapshot(of: target).litter)
    }
}
