import MediaModel
import Testing

@testable import Wire

/// The frame of a bundle, built in place.
@Suite("The frame of a bundle") struct BundleFrameTests {
    private static func metadata(_ mode: UInt32, size: Int) -> WireMetadata {
        WireMetadata(
            mode: mode,
            owner: 1,
            group: 2,
            size: Int64(size),
            accessTime: WireTime(seconds: 1, nanoseconds: 2),
            modificationTime: WireTime(seconds: -1, nanoseconds: 3),
            changeTime: WireTime(seconds: 4, nanoseconds: 5)
        )
    }

    private static let digest = Digest(algorithm: .sha256, bytes: [UInt8](repeating: 9, count: 32))
    private static let attributes = [ExtendedAttribute(name: Array("user.a".utf8), value: [1, 2])]

    /// Files of such sizes, the later half of them in a directory of their own.
    private static func bundle(_ sizes: [Int]) -> WireBundle {
        let entries = sizes.enumerated().map { index, size in
            WireBundle.Entry.file(
                WireBundle.File(
                    name: BytePath("f\(index)"),
                    metadata: metadata(0o100644, size: size),
                    attributes: index == 0 ? attributes : [],
                    bytes: [UInt8](repeating: UInt8(index), count: size),
                    digest: digest
                )
            )
        }
        let half = (entries.count + 1) / 2
        let inner = directory("small", Array(entries[half...]))
        return WireBundle(parent: 300, directory("original", Array(entries[..<half]) + [.directory(inner)]))
    }

    private static func directory(_ name: String, _ entries: [WireBundle.Entry]) -> WireBundle.Directory {
        WireBundle.Directory(
            name: BytePath(name),
            metadata: metadata(0o040755, size: 0),
            attributes: attributes,
            entries: entries
        )
    }

    /// Nil where it does not fit.
    private static func built(_ bundle: WireBundle, in frame: BundleFrame) -> [UInt8]? {
        frame.begin(in: bundle.parent)
        return add(bundle.directory, to: frame) ? Array(frame.finish()) : nil
    }

    private static func add(_ directory: WireBundle.Directory, to frame: BundleFrame) -> Bool {
        let isThere = directory.name.bytes.withUnsafeBytes {
            frame.addDirectory($0, directory.metadata, directory.attributes, entries: directory.entries.count)
        }
        return isThere
            && directory.entries.allSatisfy { entry in
                switch entry {
                case .directory(let below): return add(below, to: frame)
                case .file(let file):
                    return file.name.bytes.withUnsafeBytes { name in
                        frame.addFile(name, file.metadata, file.attributes) { room in
                            #expect(room.count == file.bytes.count + 1)
                            room.copyBytes(from: file.bytes)
                            return file.digest
                        }
                    }
                }
            }
    }

    @Test(
        "is the one that its message has, time and again",
        arguments: [[0], [5, 0, 7], [128 << 10, 1], [100_000, 100_000]]
    )
    func frame(sizes: [Int]) throws {
        let frame = BundleFrame()
        let message = Message.bundle(Self.bundle(sizes)).encoded()
        for _ in 0..<2 { #expect(Self.built(Self.bundle(sizes), in: frame) == message) }
        #expect(Self.built(Self.bundle([3]), in: frame) == Message.bundle(Self.bundle([3])).encoded())
        guard case .bundle(let read) = try Message(kind: message[4], payload: message[5...]) else {
            return #expect(Bool(false), "it is read as something else")
        }
        #expect(read == Self.bundle(sizes))
        #expect(read.entries == sizes.count + 1)
    }

    @Test("is none where its files are too many bytes")
    func tooMuch() {
        let frame = BundleFrame()
        #expect(Self.built(Self.bundle([128 << 10, 128 << 10, 128 << 10]), in: frame) == nil)
        #expect(Self.built(Self.bundle([(128 << 10) + 1]), in: frame) == nil)
        var large = Self.bundle([1])
        large.directory.attributes = (0..<5).map {
            ExtendedAttribute(name: Array("user.\($0)".utf8), value: [UInt8](repeating: 1, count: 100_000))
        }
        #expect(Self.built(large, in: frame) == nil)
        // The memory serves the next one all the same.
        #expect(Self.built(Self.bundle([1]), in: frame) == Message.bundle(Self.bundle([1])).encoded())
    }

    @Test("is none where a file cannot be read")
    func unread() {
        let frame = BundleFrame()
        let name = Array("original".utf8)
        let metadata = Self.metadata(0o040755, size: 0)
        frame.begin(in: 1)
        #expect(name.withUnsafeBytes { frame.addDirectory($0, metadata, [], entries: 1) })
        #expect(!name.withUnsafeBytes { frame.addFile($0, Self.metadata(0o100644, size: 4), []) { _ in nil } })
    }

    private static func isRefused(_ bundle: WireBundle, _ why: String) -> Bool {
        let frame = Message.bundle(bundle).encoded()
        do throws(WireFault) {
            _ = try Message(kind: frame[4], payload: frame[5...])
            return false
        } catch { return error.what.contains(why) }
    }

    @Test("is refused where it is too deep or has too many entries")
    func limits() {
        var deep = Self.directory("a", [])
        for _ in 1..<WireLimit.bundleLevels { deep = Self.directory("a", [.directory(deep)]) }
        #expect(!Self.isRefused(WireBundle(parent: 0, deep), ""))
        #expect(Self.isRefused(WireBundle(parent: 0, Self.directory("a", [.directory(deep)])), "too deep"))

        let many = (0..<WireLimit.bundleEntries / 2).map { WireBundle.Entry.directory(Self.directory("d\($0)", [])) }
        #expect(!Self.isRefused(WireBundle(parent: 0, Self.directory("a", many + many)), ""))
        let nested = Self.directory("a", many + [.directory(Self.directory("b", many))])
        #expect(Self.isRefused(WireBundle(parent: 0, nested), "too many entries"))
    }
}
