import MediaModel
import MediasyncTesting
import Testing

@testable import Storage

/// What every store promises, asked of each of them.
@Suite struct MediaStoreTests {
    /// A store and what keeps it alive.
    final class Sample: Sendable {
        let store: any MediaStore
        private let place: TemporaryDirectory?

        init(_ kind: Kind) throws {
            switch kind {
            case .local:
                let place = try TemporaryDirectory()
                self.place = place
                store = try LocalMediaStore(place.path)
            case .heldLocal:
                let place = try TemporaryDirectory()
                self.place = place
                store = try LocalMediaStore(place.path, mayMount: false)
            case .memory:
                place = nil
                store = MemoryMediaStore()
            case .counted:
                place = nil
                store = CountingStore(MemoryMediaStore())
            }
        }
    }

    enum Kind: CaseIterable { case local, heldLocal, memory, counted }

    private static func fault(_ body: () throws(FileFault) -> Void) -> FileFault.Kind? {
        do throws(FileFault) {
            try body()
            return nil
        } catch { return error.kind }
    }

    private static func names(_ store: any MediaStore, _ directory: BytePath = .root) throws(FileFault) -> [String] {
        var names: [String] = []
        try store.list(directory) { name, kind in names.append("\(name) \(kind?.name ?? "-")") }
        return names.sorted()
    }

    private static let deep = BytePath("cache/accounts/avatars/000/000/007/original/a.png")

    @Test("what is published is there: looked at, listed, read", arguments: MediaStoreTests.Kind.allCases)
    func publishing(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        #expect(try store.look(Self.deep) == nil)
        try store.publish([1, 2, 3], at: Self.deep, modes: StoreModes())
        try store.publish([], at: BytePath("empty"), modes: StoreModes())
        let entry = try #require(try store.look(Self.deep))
        #expect(entry.kind == .file)
        #expect(entry.size == 3)
        #expect(entry.modificationTime.seconds > 1_700_000_000)
        #expect(try store.look(BytePath("empty"))?.size == 0)
        #expect(try store.look(Self.deep.parent)?.kind == .directory)
        #expect(try store.look(.root)?.kind == .directory)
        #expect(try Self.names(store) == ["cache directory", "empty file"])
        #expect(try Self.names(store, Self.deep.parent) == ["a.png file"])
        #expect(try store.contents(of: Self.deep, limit: 10) == [1, 2, 3])
        #expect(try store.contents(of: Self.deep, limit: 2) == [1, 2])
        #expect(try store.contents(of: BytePath("empty"), limit: 2) == [])
    }

    @Test(
        "files that belong together are published in their order, up to one that fails",
        arguments: MediaStoreTests.Kind.allCases
    )
    func publishingTogether(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        let names = ["a/b/original/x", "a/b/small/x", "a/c/x", "x"].map { BytePath($0) }
        let spools = try names.map { _ in try store.makeSpool() }
        for (index, spool) in spools.enumerated() { try spool.truncate(to: Int64(index + 1)) }
        var named = 0
        try store.publish(all: zip(spools, names).map { SpooledFile($0, at: $1) }, modes: StoreModes()) { named += 1 }
        #expect(named == 4)
        for (index, name) in names.enumerated() { #expect(try store.look(name)?.size == Int64(index + 1)) }
        let others = try [BytePath("a/d/x"), names[1], BytePath("a/e/x")].map {
            SpooledFile(try store.makeSpool(), at: $0)
        }
        named = 0
        let fault = Self.fault { () throws(FileFault) in
            try store.publish(all: others, modes: StoreModes()) { named += 1 }
        }
        #expect(fault == .exists && named == 1)
        #expect(try store.look(BytePath("a/d/x")) != nil && store.look(BytePath("a/e/x")) == nil)
        #expect(try store.look(names[1])?.size == 2)
    }

    @Test("a file without a name is published whole, under a free name alone", arguments: MediaStoreTests.Kind.allCases)
    func spools(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        let spool = try store.makeSpool()
        try OpenFile.duplicate(spool.descriptor).write([1, 2, 3, 4], at: 0)
        #expect(try spool.size() == 4)
        try spool.truncate(to: 3)
        #expect(try Self.names(store) == [])
        try store.publish(spool, at: Self.deep, modes: StoreModes())
        #expect(try store.contents(of: Self.deep, limit: 10) == [1, 2, 3])
        let other = try store.makeSpool()
        #expect(
            Self.fault { () throws(FileFault) in try store.publish(other, at: Self.deep, modes: StoreModes()) }
                == .exists
        )
        #expect(try store.contents(of: Self.deep, limit: 10) == [1, 2, 3])
        #expect(try Self.names(store, Self.deep.parent) == ["a.png file"])
    }

    @Test("a name that is taken is never replaced", arguments: MediaStoreTests.Kind.allCases)
    func taken(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        try store.publish([1], at: Self.deep, modes: StoreModes())
        let modes = StoreModes()
        #expect(Self.fault { () throws(FileFault) in try store.publish([2], at: Self.deep, modes: modes) } == .exists)
        #expect(
            Self.fault { () throws(FileFault) in try store.publish([2], at: Self.deep.parent, modes: modes) } == .exists
        )
        #expect(try store.contents(of: Self.deep, limit: 10) == [1])
        #expect(try Self.names(store, Self.deep.parent) == ["a.png file"])
    }

    @Test("below a file there is nothing, and that is an error of its own", arguments: MediaStoreTests.Kind.allCases)
    func belowFile(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        try store.publish([1], at: BytePath("a"), modes: StoreModes())
        let below = BytePath("a/b")
        #expect(Self.fault { () throws(FileFault) in _ = try store.look(below) } == .wrongKind)
        #expect(Self.fault { () throws(FileFault) in _ = try store.remove(below) } == .wrongKind)
        #expect(Self.fault { () throws(FileFault) in try store.publish([], at: below, modes: .init()) } == .wrongKind)
        #expect(Self.fault { () throws(FileFault) in try store.list(BytePath("a")) { _, _ in } } == .wrongKind)
    }

    @Test("what is missing is told as missing", arguments: MediaStoreTests.Kind.allCases)
    func missing(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        #expect(try store.remove(Self.deep) == nil)
        #expect(Self.fault { () throws(FileFault) in try store.list(BytePath("x/y")) { _, _ in } } == .missing)
        #expect(
            Self.fault { () throws(FileFault) in _ = try store.contents(of: Self.deep, limit: 1) } == .missing
        )
        #expect(try Self.names(store) == [])
    }

    @Test("removal takes the file and the directories it leaves empty, up to what still holds something")
    func removing() throws {
        for kind in Kind.allCases {
            let sample = try Sample(kind)
            let store = sample.store
            let sibling = BytePath("cache/accounts/avatars/000/000/008/original/b.png")
            try store.publish([1, 2], at: Self.deep, modes: StoreModes())
            try store.publish([1, 2, 3], at: sibling, modes: StoreModes())
            #expect(try store.remove(Self.deep) == 2)
            #expect(try Self.names(store, BytePath("cache/accounts/avatars/000/000")) == ["008 directory"])
            #expect(try store.remove(sibling) == 3)
            // The root stays although it is empty.
            #expect(try Self.names(store) == [])
            #expect(try store.look(.root)?.kind == .directory)
            #expect(try store.remove(sibling) == nil)
        }
    }

    @Test("a directory is not removed as a file", arguments: MediaStoreTests.Kind.allCases)
    func directoryAsFile(kind: Kind) throws {
        let sample = try Sample(kind)
        try sample.store.publish([1], at: Self.deep, modes: StoreModes())
        #expect(Self.fault { () throws(FileFault) in _ = try sample.store.remove(Self.deep.parent) } != nil)
        #expect(try sample.store.look(Self.deep)?.size == 1)
    }

    @Test("a file is opened for reading; what is missing or no file is not", arguments: MediaStoreTests.Kind.allCases)
    func opening(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        try store.publish([1, 2, 3], at: Self.deep, modes: StoreModes())
        let file = try store.open(Self.deep)
        #expect(try file.metadata().size == 3)
        var bytes: [UInt8] = [0, 0, 0, 0]
        #expect(try file.readFully(into: &bytes) == 3)
        #expect(bytes == [1, 2, 3, 0])
        #expect(Self.fault { () throws(FileFault) in _ = try store.open(BytePath("nothing")) } == .missing)
        #expect(Self.fault { () throws(FileFault) in _ = try store.open(Self.deep.parent) } == .wrongKind)
    }

    /// What is looked at and removed together, in this order; those that are there, with their sizes.
    private static let many: [(path: BytePath, size: Int?)] = [
        ("cache/accounts/avatars/000/000/007/original/a.gif", 2),
        ("cache/accounts/avatars/000/000/007/static/a.png", 3),
        ("cache/accounts/avatars/000/000/008/original/b.gif", nil),
        ("cache/accounts/avatars/000/001/000/original/c.png", 4),
        ("cache/accounts/avatars/000/001/000/static/c.png", nil),
        ("cache/accounts/avatars/001/000/000/original/d.png", 5),
    ].map { (BytePath($0.0), $0.1) }

    @Test("many paths are looked at and removed as one after the other", arguments: MediaStoreTests.Kind.allCases)
    func many(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        for (path, size) in Self.many {
            guard let size else { continue }
            try store.publish([UInt8](repeating: 1, count: size), at: path, modes: StoreModes())
        }
        let paths = Self.many.map(\.path)
        #expect(
            try store.look(all: PathList(paths)).map { try $0.get()?.size }
                == Self.many.map { $0.size.map { Int64($0) } }
        )
        #expect(store.look(all: []).isEmpty)
        let removed = store.remove(all: paths.dropLast())
        #expect(try removed.map { try $0.get() } == Self.many.dropLast().map { $0.size.map { Int64($0) } })
        // Everything but the last file and its directories is gone.
        #expect(try Self.names(store, BytePath("cache/accounts/avatars")) == ["001 directory"])
        #expect(try store.remove(all: [paths[5]])[0].get() == 5)
        #expect(try Self.names(store) == [])
    }

    @Test("of many paths a bad one fails alone", arguments: MediaStoreTests.Kind.allCases)
    func manyWithFault(kind: Kind) throws {
        let sample = try Sample(kind)
        let store = sample.store
        try store.publish([1], at: BytePath("a/b"), modes: StoreModes())
        try store.publish([1], at: BytePath("a/c/d"), modes: StoreModes())
        let paths = ["a/b/x", "a/c", "a/c/d"].map { BytePath($0) }
        let looked = store.look(all: PathList(paths))
        #expect(Self.fault { () throws(FileFault) in _ = try looked[0].get() } == .wrongKind)
        #expect(try looked[1].get()?.kind == .directory)
        let removed = store.remove(all: paths)
        #expect(removed.prefix(2).allSatisfy { (try? $0.get()) == nil })
        #expect(try removed[2].get() == 1)
        #expect(try Self.names(store, BytePath("a")) == ["b file"])
    }

    @Test("names are bytes", arguments: MediaStoreTests.Kind.allCases)
    func bytes(kind: Kind) throws {
        let sample = try Sample(kind)
        let path = BytePath(bytes: [0x61, 0x2F, 0xFF, 0x0A, 0x2D])
        try sample.store.publish([9], at: path, modes: StoreModes())
        #expect(try sample.store.contents(of: path, limit: 1) == [9])
        #expect(try sample.store.remove(path) == 1)
    }
}

/// What only a directory can be asked, and the decorators.
@Suite struct LocalMediaStoreTests {
    let place: TemporaryDirectory
    let store: LocalMediaStore

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "root")
        try Disk.makeDirectory(place.path / "outside")
        try Disk.write(place.path / "outside" / "file", "precious")
        store = try LocalMediaStore(place.path / "root")
    }

    private func fault(_ body: () throws(FileFault) -> Void) -> FileFault.Kind? {
        do throws(FileFault) {
            try body()
            return nil
        } catch { return error.kind }
    }

    @Test(
        "a link in a path leads nowhere, whatever is asked; what is outside stays as it is",
        arguments: [true, false]
    )
    func links(mayMount: Bool) throws {
        let store = try LocalMediaStore(place.path / "root", mayMount: mayMount)
        try Disk.makeLink(place.path / "root" / "link", to: place.path / "outside")
        try Disk.makeLink(place.path / "root" / "up", to: BytePath(".."))
        try Disk.makeDirectory(place.path / "root" / "inner")
        for path in ["link/file", "up/outside/file", "../outside/file", "inner/../../outside/file"].map({ BytePath($0) }
        ) {
            #expect(fault { () throws(FileFault) in _ = try store.look(path) } != nil)
            #expect(fault { () throws(FileFault) in _ = try store.contents(of: path, limit: 10) } != nil)
            #expect(fault { () throws(FileFault) in _ = try store.open(path) } != nil)
            #expect(fault { () throws(FileFault) in _ = try store.remove(path) } != nil)
            for pair in [[path, path], [BytePath("link/x"), path], [path, BytePath("up/x")]] {
                #expect(store.look(all: PathList(pair)).allSatisfy { (try? $0.get()) == nil })
                #expect(store.remove(all: pair).allSatisfy { (try? $0.get()) == nil })
            }
            #expect(fault { () throws(FileFault) in try store.list(path.parent) { _, _ in } } != nil)
            let new = path.parent.appending(BytePath("new"))
            #expect(fault { () throws(FileFault) in try store.publish([], at: new, modes: StoreModes()) } != nil)
        }
        #expect(try Disk.names(in: place.path / "outside") == [BytePath("file")])
        #expect(try Disk.text(place.path / "outside" / "file") == "precious")
    }

    @Test(
        "a link at the name itself is told as a link, not read through, and removed as a link",
        arguments: [true, false]
    )
    func linkAsFile(mayMount: Bool) throws {
        let store = try LocalMediaStore(place.path / "root", mayMount: mayMount)
        try Disk.makeLink(place.path / "root" / "link", to: place.path / "outside" / "file")
        #expect(try store.look(BytePath("link"))?.kind == .symlink)
        #expect(fault { () throws(FileFault) in _ = try store.contents(of: BytePath("link"), limit: 9) } == .wrongKind)
        #expect(fault { () throws(FileFault) in _ = try store.open(BytePath("link")) } == .wrongKind)
        #expect(store.look(all: [BytePath("link"), BytePath("x")]).map { (try? $0.get())?.kind } == [.symlink, nil])
        #expect(try store.remove(BytePath("link")) == 0)
        #expect(try Disk.text(place.path / "outside" / "file") == "precious")
    }

    @Test("new files and directories get their modes, and nothing else is left behind")
    func modes() throws {
        let path = BytePath("a/b/c.png")
        try store.publish([1], at: path, modes: StoreModes(file: 0o600, directory: 0o700))
        #expect(Disk.mode(place.path / "root" / "a" / "b" / "c.png") == 0o600)
        #expect(Disk.mode(place.path / "root" / "a" / "b") == 0o700)
        #expect(try Disk.names(in: place.path / "root" / "a" / "b") == [BytePath("c.png")])
    }

    @Test("a store is no store where the root is missing or a file")
    func noRoot() throws {
        #expect(fault { () throws(FileFault) in _ = try LocalMediaStore(place.path / "nothing") } == .missing)
        #expect(
            fault { () throws(FileFault) in _ = try LocalMediaStore(place.path / "outside" / "file") } == .wrongKind
        )
    }

    @Test("with a trash, what is removed is there under its path, and the emptied directories are gone")
    func trash() throws {
        try Disk.makeDirectory(place.path / "trash")
        let trash = try LocalMediaStore(place.path / "trash")
        let store = try LocalMediaStore(place.path / "root", trash: trash)
        let path = BytePath("a/b/c.png")
        for content in [[1], [2, 2]] as [[UInt8]] {
            try store.publish(content, at: path, modes: StoreModes())
            #expect(try store.remove(path) == Int64(content.count))
            #expect(try trash.contents(of: path, limit: 9) == content)
            #expect(try Disk.names(in: place.path / "root").isEmpty)
        }
        try store.publish([1], at: path, modes: StoreModes())
        #expect(fault { () throws(FileFault) in _ = try store.remove(BytePath("a/b")) } == .wrongKind)
        #expect(try store.remove(BytePath("a/x")) == nil)
        #expect(try store.look(path)?.size == 1)
    }

    @Test("a dry run tells what would happen and changes nothing")
    func dryRun() throws {
        let path = BytePath("a/b")
        try store.publish([1, 2], at: path, modes: StoreModes())
        let dry = DryRunStore(store)
        #expect(try dry.remove(path) == 2)
        #expect(try dry.remove(BytePath("a/c")) == nil)
        #expect(fault { () throws(FileFault) in try dry.publish([3], at: path, modes: StoreModes()) } == .exists)
        #expect(fault { () throws(FileFault) in _ = try dry.remove(BytePath("a")) } != nil)
        try dry.publish([3], at: BytePath("a/new"), modes: StoreModes())
        #expect(try store.contents(of: path, limit: 9) == [1, 2])
        #expect(try store.look(BytePath("a/new")) == nil)
    }

    @Test("calls are counted by kind")
    func counting() throws {
        let counting = CountingStore(store)
        _ = try counting.look(BytePath("a"))
        _ = try counting.look(BytePath("a"))
        _ = try counting.remove(BytePath("a"))
        try counting.list(.root) { _, _ in }
        _ = try counting.makeSpool()
        _ = try? counting.open(BytePath("a"))
        #expect(StoreCall.allCases.map { counting[$0] } == [2, 1, 0, 1, 0, 1, 1])
    }

    @Test("a fault strikes one call, that one, with the error asked for", arguments: StoreCall.allCases)
    func faults(call: StoreCall) throws {
        let path = BytePath("a")
        let faulty = FaultyStore(store, failing: call, after: 1, with: .noSpace)
        var struck: [Int] = []
        for round in 0..<3 {
            let all: [(StoreCall, () throws(FileFault) -> Void)] = [
                (.publish, { () throws(FileFault) in try faulty.publish([1], at: path, modes: StoreModes()) }),
                (.look, { () throws(FileFault) in _ = try faulty.look(path) }),
                (.list, { () throws(FileFault) in try faulty.list(.root) { _, _ in } }),
                (.contents, { () throws(FileFault) in _ = try faulty.contents(of: path, limit: 1) }),
                (.open, { () throws(FileFault) in _ = try faulty.open(path) }),
                (.remove, { () throws(FileFault) in _ = try faulty.remove(path) }),
                (.makeSpool, { () throws(FileFault) in _ = try faulty.makeSpool() }),
            ]
            for (other, body) in all where other == call || (call != .publish && call != .remove) {
                if let kind = fault(body), other == call, kind == .noSpace { struck.append(round) }
            }
        }
        #expect(struck == [1])
    }
}
