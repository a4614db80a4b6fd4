internal import Checksums
package import MediaModel

/// Builds a file from an older version and a delta. Nothing that the delta says is believed: what lies outside the older
/// version, or makes the file longer than it is to be, is refused, and the whole is checked by a digest.
package struct Patch: ~Copyable {
    package enum Refusal: Error, Equatable {
        /// A copy from outside the older version.
        case outside
        /// More bytes than the file has.
        case tooLong
    }

    private let oldBytes: Int64
    private let newBytes: Int64
    private var digest: StreamingDigest
    /// Bytes built so far.
    package private(set) var count: Int64 = 0

    /// - Parameters:
    ///   - oldBytes: of the older version.
    ///   - newBytes: of the file that is to be built.
    package init(oldBytes: Int64, newBytes: Int64, algorithm: DigestAlgorithm = .xxh3) {
        self.oldBytes = oldBytes
        self.newBytes = newBytes
        digest = StreamingDigest(algorithm)
    }

    /// A range of the older version comes next: refuses one that is not there. The caller reads it and hands it to `add`.
    package func check(copyOf offset: Int64, _ count: Int64) throws(Refusal) {
        guard offset >= 0, count > 0, offset <= oldBytes, count <= oldBytes - offset else { throw .outside }
        guard count <= newBytes - self.count else { throw .tooLong }
    }

    /// The next bytes of the file, wherever they come from.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        guard Int64(bytes.count) <= newBytes - count else { throw .tooLong }
        digest.update(bytes)
        count += Int64(bytes.count)
    }

    /// The digest of the file; nil where it is not whole.
    package func finish() -> Digest? { count == newBytes ? digest.finish() : nil }
}
