import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Copying

/// Small machines of the engine, by table.
@Suite struct TableTests {
    private func run(_ random: UInt32 = 1) -> RunID { RunID(secondsSince1970: 1_700_000_000, random: random) }

    private func isOwn(_ name: String) -> Bool {
        Array(name.utf8).withUnsafeBytes { TemporaryName.isOwn($0) }
    }

    @Test("temporary names are recognised by their whole form, with their run")
    func temporaryNames() {
        let namer = TemporaryNamer(run: run(), thread: 12)
        for number in 1...1200 {
            let name = BytePath(name: namer.next())
            #expect(name == BytePath(".mediasync-tmp-\(run().text)-12.\(number)"))
            #expect(name.bytes.withUnsafeBytes { TemporaryName.run(of: $0) } == run())
            #expect(name.bytes.count < 255)
        }
        #expect(isOwn(".mediasync-run"))
        for name in [
            "", ".", ".mediasync-run2", ".mediasync-ru", ".mediasync-tmp-", "mediasync-run", ".mediasync-tmp-x-1.1",
            ".mediasync-tmp-\(run().text)", ".mediasync-tmp-\(run().text)-", ".mediasync-tmp-\(run().text)-1x",
            "x.mediasync-tmp-\(run().text)-1.1", ".mediasync-tmp-\(run().text)x1.1",
        ] { #expect(!isOwn(name), "\(name)") }
    }

    @Test("the temporary of a large file is known by the file's name and told apart from others")
    func partialNames() {
        let name = PartialFile.name(of: BytePath("video.mp4"), run: run())
        #expect(name == PartialFile.name(of: BytePath("video.mp4"), run: run()))
        #expect(name != PartialFile.name(of: BytePath("video.mp5"), run: run()))
        #expect(name != PartialFile.name(of: BytePath("video.mp4"), run: run(2)))
        #expect(isOwn(name.description) && name.bytes.withUnsafeBytes { TemporaryName.isPartial($0) })
        for other in [".mediasync-run", ".mediasync-tmp-\(run().text)-1.1", "video.mp4", "a.b.c", ""] {
            #expect(!Array(other.utf8).withUnsafeBytes { TemporaryName.isPartial($0) }, "\(other)")
        }
    }

    @Test("of what several dead runs left of a file the longest is gone on with")
    func partialFiles() throws {
        let place = try TemporaryDirectory()
        let directory = try HeldDirectory.openRoot(place.path)
        defer { directory.close() }
        let file = BytePath("video.mp4")
        let part = { (number: UInt32) in place.path / PartialFile.name(of: file, run: run(number)) }
        #expect(PartialFile.find(of: file, in: directory, [run(1)]) == nil)
        for (number, size) in [(1, 2 << 20), (2, 3 << 20), (3, 1 << 20), (4, 1000)] as [(UInt32, Int64)] {
            try Disk.write(part(number), "x")
            try Disk.truncate(part(number), to: size)
        }
        try Disk.write(place.path / "other", "x")
        try Disk.truncate(place.path / "other", to: 9 << 20)
        try Disk.makeHardLink(part(5), to: place.path / "other")
        try Disk.makeLink(part(6), to: BytePath("other"))
        let runs = (0...6).map { run($0) }
        let found = try #require(PartialFile.find(of: file, in: directory, runs))
        #expect(found.bytes == 3 << 20 && place.path / found.name == part(2))
        #expect([1, 2, 3, 4, 5].map { Disk.exists(part($0)) } == [false, true, false, false, true])
        // Only so many runs are looked at.
        let many = runs + (100..<108).map { run($0) }
        #expect(PartialFile.find(of: file, in: directory, many) == nil)
        found.remove(from: directory)
        #expect(!Disk.exists(part(2)))
    }

    private func metadata(
        _ place: TemporaryDirectory,
        _ name: String
    ) throws -> Metadata {
        let directory = try HeldDirectory.openRoot(place.path)
        defer { directory.close() }
        return try BytePath(name).withEntryName { (name) throws(FileFault) in try directory.metadata(of: name) }
    }

    @Test("what differs between wanted attributes and an entry")
    func attributes() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "file", "x", mode: 0o640)
        try Disk.setTime(place.path / "file", 1000, nanoseconds: 5)
        let there = try metadata(place, "file")
        let rules = AttributeRules(preservesOwner: true, chown: nil, chmod: nil)
        let same = rules.wanted(there, kind: .file)
        #expect(same.changes(from: there, kind: .file) == [])
        var other = same
        other.modificationTime = Timestamp(seconds: 1000, nanoseconds: 6)
        #expect(other.changes(from: there, kind: .file) == .time)
        other = same
        other.permissions = 0o600
        #expect(other.changes(from: there, kind: .file) == .mode)
        #expect(other.changes(from: there, kind: .symlink) == [])
        other = same
        other.owner = there.owner + 1
        other.group = there.group + 1
        #expect(other.changes(from: there, kind: .file) == [.owner, .group])
        other.owner = nil
        other.group = nil
        #expect(other.changes(from: there, kind: .file) == [])
        let user = AttributeRules(preservesOwner: false, chown: nil, chmod: nil).wanted(there, kind: .file)
        #expect(user.owner == nil && user.group == nil)
        let given = AttributeRules(preservesOwner: true, chown: Ownership(owner: 7, group: nil), chmod: nil)
        #expect(given.wanted(there, kind: .file).owner == 7)
        #expect(given.wanted(there, kind: .file).group == there.group)
    }

    @Test("the same version is one that no write, truncation or replacement has touched")
    func versions() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "file", "x")
        let before = try metadata(place, "file")
        #expect(try metadata(place, "file").sameVersion(as: before))
        for change in 0..<5 {
            var other = before
            switch change {
            case 0: other.size += 1
            case 1: other.modificationTime.nanoseconds ^= 1
            case 2: other.changeTime.seconds += 1
            case 3: other.inode += 1
            default: other.device += 1
            }
            #expect(!other.sameVersion(as: before))
        }
    }

    @Test("the first name of an inode is copied, others wait or link, and an inode is forgotten after its last")
    func hardLinks() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "a", "x")
        for name in ["b", "c"] { try Disk.makeHardLink(place.path / name, to: place.path / "a") }
        let inode = try metadata(place, "a")
        let node = DirectoryNode(root: DescriptorBudget(maximum: 8))
        let links = HardLinkTable()
        guard case .first = links.claim(inode) else { return #expect(Bool(false)) }
        guard case .pending = links.claim(inode) else { return #expect(Bool(false)) }
        // The first could not be copied: the next is the first again.
        links.settle(inode.identity, at: nil)
        guard case .first = links.claim(inode) else { return #expect(Bool(false)) }
        links.settle(inode.identity, at: .init(node: node, name: BytePath("a"), identity: nil))
        #expect(links.place(of: inode.identity)?.name == BytePath("a"))
        for _ in 0..<2 {
            guard case .published(let first) = links.claim(inode) else { return #expect(Bool(false)) }
            #expect(first.name == BytePath("a"))
        }
        #expect(links.place(of: inode.identity) == nil)
    }

    @Test("a first name that lies in place already makes nobody wait: others see it at once")
    func hardLinksInPlace() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "a", "x")
        try Disk.makeHardLink(place.path / "b", to: place.path / "a")
        let inode = try metadata(place, "a")
        let node = DirectoryNode(root: DescriptorBudget(maximum: 8))
        let links = HardLinkTable()
        let there = HardLinkTable.Place(node: node, name: BytePath("a"), identity: inode.identity)
        guard case .first = links.claim(inode, at: there) else { return #expect(Bool(false)) }
        guard case .published(let first) = links.claim(inode) else { return #expect(Bool(false)) }
        #expect(first.identity == inode.identity)
        #expect(links.place(of: inode.identity) == nil)
    }

    @Test(
        "a limit of deletions is kept to the number",
        arguments: [
            (CopyOptions.DeleteLimit.count(5), 5, 100, true), (.count(5), 6, 100, false), (.count(0), 0, 0, true),
            (.percent(50), 50, 100, true), (.percent(50), 51, 100, false), (.percent(100), 7, 7, true),
            (.percent(0), 1, 1000, false), (.percent(0.1), 1, 1000, true),
        ]
    )
    func deleteLimit(limit: CopyOptions.DeleteLimit, count: Int, total: Int, isAllowed: Bool) {
        let refusal = limit.refusal(of: count, outOf: total)
        #expect((refusal == nil) == isAllowed)
        if let refusal {
            #expect(refusal.code == .limitReached && refusal.hint != nil)
            #expect(refusal.what.contains("\(count) of \(total)"))
        }
    }

    @Test("letting go of a chain of 100,000 directories needs no deep stack")
    func deepChain() {
        let done = DirectoryNode(root: DescriptorBudget(maximum: 8))
        Self.makeChain(below: done, depth: 100_000)
        #expect(done.depth == 0)
    }

    private static func makeChain(below root: DirectoryNode, depth: Int) {
        var node = root
        let name: [UInt8] = [0x64]
        for _ in 0..<depth { node = name.withUnsafeBytes { DirectoryNode(parent: node, name: $0) } }
    }

    @Test("bounds leave descriptors for everything they allow, from 64 to a million")
    func bounds() {
        for limit in [64, 128, 256, 1024, 20_000, 1 << 20] {
            for jobs in [nil, 1, 8, 1024] {
                let host = Host(user: 0, group: 0, descriptorLimit: limit, processors: 4)
                for sharesCommits in [false, true] {
                    let bounds = Bounds(host: host, jobs: jobs, sharesCommits: sharesCommits)
                    #expect(bounds.workersFirst >= 1 && bounds.workersMax >= bounds.workersFirst)
                    let used = bounds.publishers + bounds.publishQueue + 3 * bounds.workersMax + 2 * bounds.openPairs
                    #expect(used <= limit, "\(limit) \(String(describing: jobs)) \(sharesCommits): \(used)")
                }
            }
        }
    }
}
