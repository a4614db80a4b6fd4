import MediaModel
import Testing

@testable import Wire

/// The frame of a leaf, built in place.
@Suite("The frame of a leaf") struct LeafFrameTests {
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

    private static func leaf(_ sizes: [Int]) -> WireLeaf {
        let files = sizes.enumerated().map { index, size in
            WireLeaf.File(
                name: BytePath("f\(index)"),
                metadata: metadata(0o100644, size: size),
                attributes: index == 0 ? attributes : [],
                bytes: [UInt8](repeating: UInt8(index), count: size),
                digest: digest
            )
        }
        return WireLeaf(
            parent: 300,
            name: BytePath("original"),
            metadata: metadata(0o040755, size: 0),
            attributes: attributes,
            files: files
        )
    }

    /// Nil where it does not fit.
    private static func built(_ leaf: WireLeaf, in frame: LeafFrame) -> [UInt8]? {
        let name = leaf.name.bytes
        let isBegun = name.withUnsafeBytes {
            frame.begin(parent: leaf.parent, name: $0, leaf.metadata, leaf.attributes, files: leaf.files.count)
        }
        guard isBegun else { return nil }
        for file in leaf.files {
            let isThere = file.name.bytes.withUnsafeBytes { name in
                frame.add(name: name, file.metadata, file.attributes) { room in
                    #expect(room.count == file.bytes.count + 1)
                    room.copyBytes(from: file.bytes)
                    return file.digest
                }
            }
            guard isThere else { return nil }
        }
        return Array(frame.finish())
    }

    @Test(
        "is the one that its message has, time and again",
        arguments: [[0], [5, 0, 7], [128 << 10, 1], [100_000, 100_000]]
    )
    func frame(sizes: [Int]) throws {
        let frame = LeafFrame()
        for _ in 0..<2 { #expect(Self.built(Self.leaf(sizes), in: frame) == Message.leaf(Self.leaf(sizes)).encoded()) }
        #expect(Self.built(Self.leaf([3]), in: frame) == Message.leaf(Self.leaf([3])).encoded())
    }

    @Test("is none where its files are too many bytes")
    func tooMuch() {
        let frame = LeafFrame()
        #expect(Self.built(Self.leaf([128 << 10, 128 << 10, 128 << 10]), in: frame) == nil)
        #expect(Self.built(Self.leaf([(128 << 10) + 1]), in: frame) == nil)
        var large = Self.leaf([1])
        large.attributes = (0..<5).map {
            ExtendedAttribute(name: Array("user.\($0)".utf8), value: [UInt8](repeating: 1, count: 100_000))
        }
        #expect(Self.built(large, in: frame) == nil)
        // The memory serves the next one all the same.
        #expect(Self.built(Self.leaf([1]), in: frame) == Message.leaf(Self.leaf([1])).encoded())
    }

    @Test("is none where a file cannot be read")
    func unread() {
        let frame = LeafFrame()
        let leaf = Self.leaf([4])
        let name = leaf.name.bytes
        #expect(name.withUnsafeBytes { frame.begin(parent: 1, name: $0, leaf.metadata, [], files: 1) })
        #expect(!name.withUnsafeBytes { frame.add(name: $0, leaf.files[0].metadata, []) { _ in nil } })
    }
}
