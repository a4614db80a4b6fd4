import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Copying

/// The marker of a run, and the removal of trees.
@Suite struct MarkerTests {
    let place: TemporaryDirectory
    let directory: HeldDirectory
    private let first = RunID(secondsSince1970: 1_700_000_000, random: 1)
    private let second = RunID(secondsSince1970: 1_700_000_001, random: 2)

    init() throws {
        place = try TemporaryDirectory()
        directory = try HeldDirectory.openRoot(place.path)
    }

    @Test("a marker is written once, names runs that died, and goes with a run that swept")
    func marker() throws {
        let path = place.path / TemporaryName.marker
        let marker = try RunMarker(in: directory, run: first)
        #expect(marker.deadRuns.isEmpty)
        #expect(!Disk.exists(path))
        try marker.write()
        let inode = Disk.inode(path)
        try marker.write()
        #expect(Disk.inode(path) == inode)
        #expect(try Disk.text(path) == "\(first.text)\n")
        let next = try RunMarker(in: directory, run: second, isDurable: true)
        #expect(next.deadRuns == [first])
        try next.write()
        #expect(try Disk.text(path) == "\(first.text)\n\(second.text)\n")
        #expect(!next.remove(swept: false))
        #expect(Disk.exists(path))
        #expect(next.remove(swept: true))
        #expect(!Disk.exists(path))
    }

    @Test("nonsense in a marker names no runs, and a link or hard link of its name is never written through")
    func planted() throws {
        let path = place.path / TemporaryName.marker
        let victim = place.path / "victim"
        try Disk.write(victim, "20230101-000000-00000001\n../../etc\n\u{0}\n20230101")
        try Disk.makeHardLink(path, to: victim)
        let text = try Disk.text(victim)
        let marker = try RunMarker(in: directory, run: first)
        #expect(marker.deadRuns.map(\.text) == ["20230101-000000-00000001"])
        try marker.write()
        #expect(try Disk.text(victim) == text)
        try Disk.remove(path)
        try Disk.makeLink(path, to: victim)
        let other = try RunMarker(in: directory, run: second)
        #expect(other.deadRuns.isEmpty)
        try other.write()
        #expect(try Disk.text(victim) == text)
        #expect(try Disk.text(path) == "\(second.text)\n")
    }

    @Test("a tree is counted, pretended and removed alike; what is protected or spared stays with its parents")
    func remover() throws {
        try Disk.makeDirectory(place.path / "tree")
        for name in ["a", "b", "c"] {
            try Disk.makeDirectory(place.path / "tree" / name)
            for file in ["1", "2.keep"] { try Disk.write(place.path / "tree" / name / file, "xx") }
        }
        try Disk.makeDirectory(place.path / "tree" / "spared")
        try Disk.write(place.path / "tree" / "spared" / "inside", "x")
        try Disk.remove(place.path / "tree" / "b" / "2.keep")
        let spared = try HeldDirectory.openRoot(place.path / "tree" / "spared")
        defer { spared.close() }
        var reports: [[String]] = []
        for purpose in [TreeRemover.Purpose.count, .pretend, .remove] {
            let collected = Collected()
            let remover = TreeRemover(
                purpose: purpose,
                device: try directory.metadata().device,
                spared: [try spared.metadata().identity],
                protects: { path, _ in path.description.hasSuffix(".keep") },
                report: { path, _, _, error in collected.paths.append("\(path) \(error?.what ?? "")") }
            )
            "tree".withCString { remover.handle($0, in: directory, path: BytePath("tree")) }
            reports.append(collected.paths.sorted())
        }
        #expect(reports[0] == ["tree/a/1 ", "tree/b ", "tree/b/1 ", "tree/c/1 "])
        #expect(reports[1] == reports[0] && reports[2] == reports[0])
        let left = try TreeSnapshot(of: place.path / "tree").paths.map(\.description)
        #expect(left == [".", "a", "a/2.keep", "c", "c/2.keep", "spared", "spared/inside"])
    }

    private final class Collected {
        var paths: [String] = []
    }
}
