import Checksums
import MediaModel
import Testing

@Suite struct StreamingDigestTests {
    /// Known answers, from `xxhsum -H2`, `sha256sum` and `b2sum` of the same bytes.
    static let known: [(DigestAlgorithm, String, String)] = [
        (.xxh3, "", "99aa06d3014798d86001c324468d497f"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            .blake2b, "abc",
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        ),
    ]

    @Test("known answers of other programs", arguments: known)
    func knownAnswers(algorithm: DigestAlgorithm, text: String, expected: String) {
        let digest = StreamingDigest(algorithm)
        Array(text.utf8).withUnsafeBytes { digest.update($0) }
        #expect(digest.finish().hexadecimal == expected)
        Array(text.utf8).withUnsafeBytes { #expect(digest.digest(of: $0).hexadecimal == expected) }
    }

    @Test("any cut of the bytes gives the digest of the whole", arguments: DigestAlgorithm.allCases)
    func cuts(algorithm: DigestAlgorithm) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<300_001).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let streaming = StreamingDigest(algorithm)
        let whole = bytes.withUnsafeBytes { streaming.digest(of: $0) }
        for step in [1_000, 65_536, 131_072, 300_000, 300_001] {
            streaming.reset()
            bytes.withUnsafeBytes { all in
                var start = 0
                while start < all.count {
                    let end = min(start + step, all.count)
                    streaming.update(UnsafeRawBufferPointer(rebasing: all[start..<end]))
                    start = end
                }
            }
            #expect(streaming.finish() == whole)
        }
    }

    @Test("a hole counts as its zero bytes", arguments: DigestAlgorithm.allCases)
    func holes(algorithm: DigestAlgorithm) {
        let written = StreamingDigest(algorithm)
        let skipped = StreamingDigest(algorithm)
        let zeros = [UInt8](repeating: 0, count: 200_003)
        zeros.withUnsafeBytes { written.update($0) }
        skipped.updateZeros(200_003)
        #expect(written.finish() == skipped.finish())
    }
}
