import Filtering
import Glibc
import MediaModel
import MediasyncTesting
import Running
import Storage
import Testing
import Wire

@testable import Copying

/// Which directories travel whole, and what is in them then.
@Suite("Bundles that are read") struct BundleReaderTests {
    let place: TemporaryDirectory
    var folder: BytePath { place.path / "d" }

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "d")
    }

    /// What the other end would read; nil where it is told of step by step.
    private func read(_ options: CopyOptions = CopyOptions(), settled: Bool = true) throws -> WireBundle? {
        // What changed a moment ago may change once more within a tick of the clock.
        if settled { usleep(30_000) }
        let root = try HeldDirectory.openRoot(place.path)
        defer { root.close() }
        let walk = try ReadingWalk(
            source: root,
            options: options,
            run: RunID(secondsSince1970: 0, random: 1),
            host: .current(),
            control: RunControl(),
            account: Account(),
            sink: { _ in }
        )
        let node = Array("d".utf8).withUnsafeBytes { DirectoryNode(parent: walk.root, name: $0) }
        node.source = try BytePath("d").withEntryName { try root.openDirectory($0) }
        let listing = ListingBuffer()
        _ = try node.source.list(into: listing)
        let worker = CopyWorker(context: walk.context, index: 0, queue: nil)
        let reader = BundleReader(context: walk.context, worker: worker)
        let metadata = WireMetadata(try node.source.metadata())
        guard reader.look(at: listing) != .unfit, reader.read(node, in: 9, metadata, [], listing) else { return nil }
        let frame = reader.frame.finish()
        guard case .bundle(let bundle) = try Message(kind: frame[4], payload: Array(frame)[5...]) else { return nil }
        return bundle
    }

    private static func names(_ directory: WireBundle.Directory) -> Set<String> {
        Set(
            directory.entries.flatMap { entry -> [String] in
                switch entry {
                case .file(let file): return ["\(file.name)=\(String(decoding: file.bytes, as: UTF8.self))"]
                case .directory(let below): return ["\(below.name)/"] + names(below).map { "\(below.name)/\($0)" }
                }
            }
        )
    }

    @Test("are small directories with all below them")
    func whole() throws {
        try Disk.write(folder / "a", "one", mode: 0o640)
        try Disk.makeDirectory(folder / "small")
        try Disk.write(folder / "small/b", "two")
        try Disk.makeDirectory(folder / "small/empty")
        let bundle = try #require(try read())
        #expect(bundle.parent == 9)
        #expect(bundle.directory.name == BytePath("d"))
        #expect(Self.names(bundle.directory) == ["a=one", "small/", "small/b=two", "small/empty/"])
        let modes = bundle.directory.entries.compactMap {
            if case .file(let file) = $0 { file.metadata.mode } else { nil }
        }
        #expect(modes == [0o100640])
    }

    @Test("are empty directories, too")
    func empty() throws {
        #expect(try read()?.directory.entries.isEmpty == true)
    }

    enum Hindrance: CaseIterable, Sendable {
        case link, fifo, twoNames, large, temporary, deep, crowded, below
    }

    @Test("hold nothing that needs more than a look", arguments: Hindrance.allCases)
    func hindrance(_ hindrance: Hindrance) throws {
        try Disk.write(folder / "a", "one")
        switch hindrance {
        case .link: try Disk.makeLink(folder / "b", to: BytePath("a"))
        case .fifo: try Disk.makeSpecial(folder / "b", type: UInt32(S_IFIFO))
        case .twoNames: try Disk.makeHardLink(folder / "b", to: folder / "a")
        case .large: try Disk.write(folder / "b", [UInt8](repeating: 1, count: (128 << 10) + 1))
        case .temporary: try Disk.write(folder / ".mediasync-run", "x")
        case .deep:
            var below = folder
            for _ in 0..<WireLimit.bundleLevels {
                below = below / "e"
                try Disk.makeDirectory(below)
            }
        case .crowded: for index in 0..<WireLimit.bundleEntries { try Disk.write(folder / "f\(index)", "x") }
        case .below:
            try Disk.makeDirectory(folder / "e")
            try Disk.makeLink(folder / "e/b", to: BytePath("a"))
        }
        #expect(try read() == nil)
    }

    @Test("hold as much as there is room for, and no more")
    func room() throws {
        for index in 0..<2 { try Disk.write(folder / "f\(index)", [UInt8](repeating: 1, count: 128 << 10)) }
        #expect(try read()?.entries == 2)
        try Disk.write(folder / "f2", [UInt8](repeating: 1, count: 128 << 10))
        #expect(try read() == nil)
    }

    @Test("hold nothing that was changed just now")
    func settling() throws {
        try Disk.write(folder / "a", "one")
        #expect(try read(settled: false) == nil)
        #expect(try read() != nil)
    }

    @Test("hold nothing that filters leave out, and no directories where there are filters")
    func filters() throws {
        var options = CopyOptions()
        options.filters.exclude(Array("*.tmp".utf8))
        try Disk.write(folder / "a", "one")
        #expect(try read(options) != nil)
        try Disk.write(folder / "b.tmp", "one")
        #expect(try read(options) == nil)
        try Disk.remove(folder / "b.tmp")
        try Disk.makeDirectory(folder / "e")
        #expect(try read(options) == nil)
    }
}
