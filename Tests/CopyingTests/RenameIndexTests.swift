import Delta
import MediaModel
import Storage
import Testing

@testable import Copying

/// Which file of the target a new one may have been.
@Suite("A file that is new") struct RenameIndexTests {
    private static func metadata(_ size: Int64, _ seconds: Int64) -> Metadata {
        let time = Timestamp(seconds: seconds, nanoseconds: 5)
        return Metadata(
            identity: FileIdentity(device: 1, inode: 1),
            mode: 0o100644,
            linkCount: 1,
            owner: 0,
            group: 0,
            deviceNumber: 0,
            size: size,
            blocks: 8,
            accessTime: time,
            modificationTime: time,
            changeTime: time
        )
    }

    private static let index: RenameIndex = {
        var index = RenameIndex()
        for (path, size, seconds) in [
            ("z/a.jpg", 20_000, 3), ("b/a.jpg", 20_000, 1), ("b/b.jpg", 20_000, 1), ("c/c.jpg", 30_000, -5),
            ("d/small.jpg", 16_383, 1),
        ] as [(String, Int64, Int64)] {
            index.add(Array(path.utf8), metadata(size, seconds))
        }
        index.sort()
        return index
    }()

    @Test(
        "may have been one of its size, rather of its time, rather of its name",
        arguments: [
            ("b.jpg", 20_000, 1, "b/b.jpg"), ("a.jpg", 20_000, 1, "b/a.jpg"), ("a.jpg", 20_000, 3, "z/a.jpg"),
            ("x.jpg", 20_000, 3, "z/a.jpg"), ("b.jpg", 20_000, 9, "b/b.jpg"), ("x.jpg", 30_000, 9, "c/c.jpg"),
            ("c.jpg", 30_001, -5, nil), ("a.jpg", 19_999, 1, nil), ("small.jpg", 16_383, 1, nil), ("e", 0, 1, nil),
            ("e", 1 << 40, 1, nil),
        ] as [(String, Int64, Int64, String?)]
    )
    func candidates(name: String, size: Int64, seconds: Int64, expected: String?) {
        let found = Self.index.candidate(for: BytePath(name), Self.metadata(size, seconds))
        #expect(found == expected.map { BytePath($0) })
    }

    @Test("is looked for among so many files and no more")
    func bound() {
        var index = RenameIndex()
        for number in 0...RenameIndex.entriesMax {
            index.add(Array("a".utf8), Self.metadata(RenameIndex.bytesMin + Int64(number), 0))
        }
        index.sort()
        let last = RenameIndex.bytesMin + Int64(RenameIndex.entriesMax)
        #expect(index.candidate(for: BytePath("a"), Self.metadata(last - 1, 0)) != nil)
        #expect(index.candidate(for: BytePath("a"), Self.metadata(last, 0)) == nil)
    }

    @Test("is described by few checksums", arguments: [16 << 10, 300_000, 1 << 30, 1 << 40] as [Int64])
    func plans(bytes: Int64) throws {
        let plan = try #require(RenameIndex.plan(bytes))
        #expect(plan.fileBytes == bytes)
        #expect(plan.blockCount <= max(1, Int(bytes / 200_000)) + 1)
        #expect(plan.strongBytes >= 7)
    }
}
