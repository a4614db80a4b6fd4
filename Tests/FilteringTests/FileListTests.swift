internal import Filtering
internal import Foundation
internal import MediaModel
internal import MediasyncTesting
internal import Testing

@Suite struct FileListTests {
    private func role(_ list: FileList, _ path: String) -> FileList.Role {
        Array(path.utf8).withUnsafeBufferPointer { list.role(of: $0) }
    }

    @Test("listed paths, their ancestors and the rest are told apart")
    func roles() throws {
        let list = try FileList(Array("a/b/c\n./d//e/\n/f\n".utf8))
        #expect(role(list, "a/b/c") == .listed)
        #expect(role(list, "a/b") == .ancestor)
        #expect(role(list, "a") == .ancestor)
        #expect(role(list, "") == .ancestor)
        #expect(role(list, "a/b/c/d") == .outside)
        #expect(role(list, "d/e") == .listed)
        #expect(role(list, "d/e/x") == .listed)
        #expect(role(list, "d/e/x/y") == .outside)
        #expect(role(list, "f") == .listed)
        #expect(role(list, "g") == .outside)
        #expect(list.listedCount == 3)
    }

    @Test(
        "a list that was written down again says the same",
        arguments: ["", "/", "a/b/c\n./d//e/\n/f\n", "./#x\n./;y/\n", "a\na/\na/b"]
    )
    func encoded(text: String) throws {
        let list = try FileList(Array(text.utf8))
        let again = try FileList(list.encoded(), isNullSeparated: true)
        #expect(again.listedCount == list.listedCount && again.unmet() == list.unmet())
        for path in ["", "a", "a/b", "a/b/c", "a/x", "d", "d/e", "d/e/f", "f", "#x", ";y", ";y/z", "g"] {
            #expect(role(again, path) == role(list, path), "\(path)")
        }
    }

    @Test("a list of more paths than may be is refused")
    func tooMany() throws {
        let text = Array("a/b/c\0d".utf8)
        _ = try FileList(text, isNullSeparated: true, pathsMax: 5)
        #expect(throws: SyncError.self) { try FileList(text, isNullSeparated: true, pathsMax: 4) }
    }

    @Test("an empty list names nothing")
    func empty() throws {
        let list = try FileList(Array("\n# only a comment\n".utf8))
        #expect(role(list, "a") == .outside)
        #expect(list.listedCount == 0)
        #expect(list.unmet() == [])
    }

    @Test(
        "paths that leave the tree or move its root are refused",
        arguments: ["../x", "a/../b", "a/..", "..", "a/./b"]
    )
    func refused(path: String) {
        #expect {
            try FileList(Array("ok\n\(path)\n".utf8))
        } throws: { error in
            (error as? SyncError)?.code == .usage
        }
    }

    @Test("what was never met is told, in the order of the list")
    func unmet() throws {
        let list = try FileList(Array("z\nb/c\nm/\na\nz\n".utf8))
        for path in ["b/c", "m", "b"] { Array(path.utf8).withUnsafeBufferPointer { list.markMet($0) } }
        #expect(list.unmet() == [BytePath("z"), BytePath("a")])
        #expect(list.unmet(limit: 1) == [BytePath("z")])
    }

    @Test("marks from many threads all arrive")
    func concurrentMarks() async throws {
        let list = try FileList(Array((0..<5_000).map { "dir\($0 % 7)/file\($0)" }.joined(separator: "\n").utf8))
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for number in stride(from: worker, to: 5_000, by: 8) where number != 4_321 {
                        Array("dir\(number % 7)/file\(number)".utf8).withUnsafeBufferPointer { list.markMet($0) }
                    }
                }
            }
        }
        #expect(list.unmet() == [BytePath("dir\(4_321 % 7)/file4321")])
    }

    @Test(
        "a list selects what rsync selects",
        .enabled(if: RsyncProgram.isInstalled, "rsync is not installed"),
        arguments: [
            ("a\n", false), ("a/\n", false), ("a/.\n", false), ("a/b\n", false), ("a/b/\n", false),
            ("/f\n./foo/\n", false),
            ("foo//bar///foo\n", false), ("# hash\n; semi\n./# hash\n", false), (".\n", false), ("/\n", false),
            ("f\r\nx\r\n", false), ("f\0# hash\0a/foo\0", true), ("f\nf\n", false), ("a/\na\n", false), ("f/\n", false),
            ("+ plus\n- f\n", false), (" lead\ntrail \n", false), ("*\nstar*\n[x]/\n", false), ("", false),
            ("deep/a/b/a\ndeep/a/\n", false), ("foo/\nfoo/bar/baz\n", false), ("./\n", false), ("-dash/\n", false),
        ] as [(String, Bool)]
    )
    func differential(contents: String, isNullSeparated: Bool) throws {
        let tree = try TrickyTree()
        let bytes = Array(contents.utf8)
        tree.tree.makeFile(Array("list".utf8), contents: bytes)
        let theirs = try tree.transferred(by: ["--files-from=list"] + (isNullSeparated ? ["--from0"] : []))
        let list = try FileList(bytes, isNullSeparated: isNullSeparated)
        let ours = tree.walked { path, _ in list.role(of: path) == .outside }
        #expect(readable(ours) == readable(theirs))
        for entry in tree.entries where entry.isDirectory && ours.contains(entry.path) {
            let hasChildren = ours.contains { $0.starts(with: entry.path + Array("/".utf8)) }
            let descends = entry.path.withUnsafeBufferPointer { list.needsDescent(into: $0) }
            #expect(descends || !hasChildren)
        }
    }
}
