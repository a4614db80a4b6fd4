internal import Foundation
internal import MediasyncTesting

/// A tree of names that filters stumble over, the same on disk and as a list.
struct TrickyTree {
    /// Paths in order, parents first, and whether each is a directory.
    let entries: [(path: [UInt8], isDirectory: Bool)]
    let tree: TemporaryTree

    /// Names of directories and of the files in each of them.
    private static let directories: [[UInt8]] =
        [
            "a", "a/b", "a/b/c", "a/b/c/a", "a/foo", "foo", "foo/bar", "foo/bar/foo", "foo/bar/baz", "[x]", "[x]/y",
            "-dash",
            "cache", "cache/accounts", "cache/accounts/avatars", "cache/accounts/avatars/110", "media_attachments",
            "media_attachments/files", "media_attachments/files/110", "media_attachments/files/110/original", "A",
            "!neg",
            "back\\slash", "star*", "star*/in", "a.d", "deep", "deep/a", "deep/a/b", "deep/a/b/a", "deep/a/b/a/b",
        ].map { Array($0.utf8) } + [[0xff, 0xfe], Array("foo/".utf8) + [0xe9]]

    private static let files: [[UInt8]] =
        [
            "a", "f", "foo", "bar.jpg", "b.JPG", "file.txt", ".hidden", "[x]", "x", "a]b", "q?", "star*", "two**",
            "back\\slash",
            "-n", "+ plus", "# hash", "; semi", "9", "aaaaab", " lead", "trail ", "foo.o", "ü", "tab\tname",
        ].map { Array($0.utf8) } + [[0x80], [0x61, 0xff, 0x62]]

    init() throws {
        tree = try TemporaryTree()
        tree.makeDirectory(Array("src".utf8))
        tree.makeDirectory(Array("dst".utf8))
        var entries: [(path: [UInt8], isDirectory: Bool)] = []
        for directory in [[]] + Self.directories {
            if !directory.isEmpty {
                tree.makeDirectory(Array("src/".utf8) + directory)
                entries.append((directory, true))
            }
            for (index, file) in Self.files.enumerated() where directory.isEmpty || (index + directory.count) % 3 == 0 {
                let path = directory.isEmpty ? file : directory + Array("/".utf8) + file
                guard !Self.directories.contains(path) else { continue }
                tree.makeFile(Array("src/".utf8) + path)
                entries.append((path, false))
            }
        }
        self.entries = entries
    }

    /// What rsync would transfer.
    func transferred(by arguments: [String]) throws -> Set<[UInt8]> {
        let result = try RsyncProgram.run(["-ain8"] + arguments + ["src/", "dst/"], in: tree.url)
        return Set(RsyncProgram.itemizedPaths(result.output))
    }

    /// What a walk takes that asks `isExcluded` for every entry, parents first, and prunes.
    func walked(isExcluded: (UnsafeBufferPointer<UInt8>, Bool) -> Bool) -> Set<[UInt8]> {
        var taken: Set<[UInt8]> = []
        for entry in entries {
            let parent = Array(entry.path.prefix(entry.path.lastIndex(of: UInt8(ascii: "/")) ?? 0))
            guard parent.isEmpty || taken.contains(parent) else { continue }
            if !entry.path.withUnsafeBufferPointer({ isExcluded($0, entry.isDirectory) }) { taken.insert(entry.path) }
        }
        return taken
    }
}

/// Paths as a person reads them, for a failing comparison.
func readable(_ paths: Set<[UInt8]>) -> [String] {
    paths.map { String(decoding: $0, as: UTF8.self) }.sorted()
}

/// Numbers from a seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
