import MediaModel
import MediasyncTesting
import Storage
import Testing

@testable import Copying

/// The directories that a worker holds on the way to its files.
@Suite struct ExtractionWayTests {
    private let place: TemporaryDirectory
    private let root: ExtractionDirectory

    init() throws {
        place = try TemporaryDirectory()
        root = ExtractionDirectory(try HeldDirectory.openRoot(place.path), isNew: false)
    }

    private func directory() throws -> ExtractionDirectory {
        ExtractionDirectory(try HeldDirectory.openRoot(place.path), isNew: true)
    }

    private func expect(
        _ way: inout ExtractionWay,
        _ path: String,
        _ directory: ExtractionDirectory,
        _ end: Int,
        at location: SourceLocation = #_sourceLocation
    ) {
        let nearest = way.nearest(to: bytes(path))
        #expect(nearest.directory === directory && nearest.end == end, sourceLocation: location)
    }

    private func bytes(_ path: String) -> ArraySlice<UInt8> { Array(path.utf8)[...] }

    @Test("the nearest directory is the lowest that the new path leads through, whatever other names begin alike")
    func nearest() throws {
        var way = ExtractionWay(from: root, stepsMax: 8)
        expect(&way, "a/b", root, 0)
        let (a, b, c) = (try directory(), try directory(), try directory())
        way.enter(a, at: bytes("a"))
        way.enter(b, at: bytes("a/bb"))
        way.enter(c, at: bytes("a/bb/c"))
        expect(&way, "a/bb/c", c, 6)
        expect(&way, "a/bb/c/d/e", c, 6)
        expect(&way, "a/bb/cc", b, 4)
        // What does not lead there is let go of.
        expect(&way, "a/bb/c", b, 4)
        expect(&way, "a/b", a, 1)
        expect(&way, "a/bb", a, 1)
        expect(&way, "aa", root, 0)
        expect(&way, "", root, 0)
    }

    @Test("as many are held as may be: those above go first, and the way to the lowest is still known")
    func few() throws {
        var way = ExtractionWay(from: root, stepsMax: 1)
        let (a, b, c) = (try directory(), try directory(), try directory())
        way.enter(a, at: bytes("a"))
        way.enter(b, at: bytes("a/b"))
        expect(&way, "a/b/x", b, 3)
        expect(&way, "a/c", root, 0)
        way.enter(c, at: bytes("a/c"))
        expect(&way, "a/c", c, 3)
    }
}
