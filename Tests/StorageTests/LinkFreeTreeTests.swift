import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Storage

@Suite struct LinkFreeTreeTests {
    @Test(
        "a path is plain where it stays below where it begins",
        arguments: [
            ("a", true), ("a/b", true), ("..a/b..", true), (".../x", true), ("./a", true), ("a/..b", true),
            ("", false), ("/a", false), ("..", false), ("../a", false), ("a/..", false), ("a/../b", false),
        ]
    )
    func plain(path: String, expected: Bool) {
        #expect(LinkFreeTree.isPlain(BytePath(path)) == expected)
    }

    @Test(
        "what paths have in common ends in front of a whole component",
        arguments: [
            ([], 0), (["a"], 0), (["a/b"], 1), (["a/b", "a/b"], 1), (["a/bc", "a/bd"], 1), (["ab/c", "ac/c"], 0),
            (["a/b/c", "a/b/d", "a/b/c/e"], 3), (["a/b/c", "a/b"], 1), (["x", "a/b"], 0),
        ]
    )
    func common(paths: [String], expected: Int) {
        #expect(LinkFreeTree.commonLength(PathList(paths.map { BytePath($0) })) == expected)
    }

    @Test("as root the kernel keeps away from links by itself", .enabled(if: geteuid() == 0, "needs root"))
    func mounted() throws {
        let place = try TemporaryDirectory()
        let root = try HeldDirectory.openRoot(place.path)
        defer { root.close() }
        let tree = LinkFreeTree(root)
        defer { tree.close() }
        // A container may keep even root from mounting: then there is nothing to see here.
        guard tree.isMounted else { return }
        try Disk.makeDirectory(place.path / "a")
        try Disk.write(place.path / "a" / "f", "x")
        try Disk.makeLink(place.path / "l", to: BytePath("a"))
        #expect(try tree.lookUp(BytePath("a/f"))?.size == 1)
        #expect((try? tree.lookUp(BytePath("l/f"))) == nil)
        #expect(try tree.lookUp(BytePath("l"))?.kind == .symlink)
        // The others see no mount.
        #expect(!(try Disk.text(BytePath("/proc/self/mountinfo"))).contains("nosymfollow"))
    }
}
