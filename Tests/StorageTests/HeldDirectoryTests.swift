import MediaModel
import MediasyncTesting
import Testing

@testable import Storage

/// Calls relative to a held directory: links are not followed, mounts are seen, kinds are told.
@Suite struct HeldDirectoryTests {
    let place: TemporaryDirectory
    let directory: HeldDirectory

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "dir")
        try Disk.write(place.path / "dir" / "file", "content")
        try Disk.makeLink(place.path / "dir" / "link", to: BytePath("file"))
        try Disk.makeLink(place.path / "dir" / "linked", to: place.path)
        try Disk.makeDirectory(place.path / "dir" / "sub")
        directory = try HeldDirectory.openRoot(place.path / "dir")
    }

    private func kind(_ body: () throws(FileFault) -> Void) -> FileFault.Kind? {
        do throws(FileFault) {
            try body()
            return nil
        } catch { return error.kind }
    }

    @Test("links are refused as files and as directories")
    func links() {
        #expect(kind { () throws(FileFault) in _ = try directory.openFile("link") } == .wrongKind)
        #expect(kind { () throws(FileFault) in _ = try directory.openDirectory("linked") } == .wrongKind)
        #expect(kind { () throws(FileFault) in _ = try directory.openDirectoryOnSameMount("linked") } == .wrongKind)
        #expect(kind { () throws(FileFault) in _ = try directory.openOrCreateFile("link", mode: 0o600) } == .wrongKind)
        #expect(kind { () throws(FileFault) in _ = try directory.createFile("link", mode: 0o600) } == .exists)
    }

    @Test("a directory is empty or not, and missing is told apart")
    func emptiness() throws {
        try directory.requireEmptyDirectory("sub")
        try Disk.write(place.path / "dir" / "sub" / "x", "x")
        #expect(kind { () throws(FileFault) in try directory.requireEmptyDirectory("sub") } == .notEmpty)
        #expect(kind { () throws(FileFault) in try directory.requireEmptyDirectory("none") } == .missing)
        #expect(kind { () throws(FileFault) in try directory.requireEmptyDirectory("file") } == .wrongKind)
    }

    @Test("a bind mount is another mount", .enabled(if: Requirement.canMount, "needs root and mount"))
    func mounts() throws {
        #expect(kind { () throws(FileFault) in try directory.openDirectoryOnSameMount("sub").close() } == nil)
        try Program("mount").check(["--bind"], place.path, place.path / "dir" / "sub")
        defer { _ = try? Program("umount").run([], place.path / "dir" / "sub") }
        let found = kind { () throws(FileFault) in try directory.openDirectoryOnSameMount("sub").close() }
        #expect(found == .crossDevice)
    }

    @Test("a listing gives every name once, whatever its bytes, and tells kinds")
    func listing() throws {
        for index in 0..<3000 { try Disk.write(place.path / "dir" / "f\(index)", "") }
        try Disk.write(place.path / "dir" / BytePath(bytes: [0xFF, 0x0A]), "")
        let listing = ListingBuffer()
        var names: [BytePath] = []
        var kinds: Set<EntryKind> = []
        while try directory.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                names.append(BytePath(name: entry.name))
                if let kind = entry.kind { kinds.insert(kind) }
            }
        }
        #expect(try names.sorted() == Disk.names(in: place.path / "dir"))
        #expect(kinds == [.file, .directory, .symlink])
    }

    @Test("without replacing means just that; an entry handle changes the entry that was looked at")
    func names() throws {
        try Disk.write(place.path / "dir" / "other", "other")
        let fault = kind { () throws(FileFault) in try directory.renameWithoutReplacing("other", as: "file") }
        #expect(fault == .exists)
        let handle = try directory.openEntry("other")
        try Disk.rename(place.path / "dir" / "other", to: place.path / "dir" / "moved")
        try Disk.write(place.path / "dir" / "other", "new", mode: 0o644)
        try handle.setPermissions(0o600)
        #expect(Disk.mode(place.path / "dir" / "moved") == 0o600)
        #expect(Disk.mode(place.path / "dir" / "other") == 0o644)
    }
}
