internal import COpenSSL
internal import CXXHash
package import MediaModel

/// A digest that is fed piece by piece. One owner, freed once; not for use by two threads at a time.
package struct StreamingDigest: ~Copyable {
    private enum State {
        case xxh3(UnsafeMutableRawPointer)
        case openSSL(OpaquePointer)
    }

    package let algorithm: DigestAlgorithm
    private let state: State

    /// A fresh digest, ready to be fed.
    package init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .xxh3:
            guard let raw = mds_xxh3_create() else { preconditionFailure("no memory for a digest") }
            state = .xxh3(raw)
        case .sha256, .blake2b:
            guard let raw = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest") }
            state = .openSSL(raw)
        }
        reset()
    }

    deinit {
        switch state {
        case .xxh3(let raw): mds_xxh3_free(raw)
        case .openSSL(let raw): EVP_MD_CTX_free(raw)
        }
    }

    /// Starts over with the next file.
    package func reset() {
        switch state {
        case .xxh3(let raw):
            mds_xxh3_reset(raw)
        case .openSSL(let raw):
            let done = EVP_DigestInit_ex(raw, algorithm == .sha256 ? EVP_sha256() : EVP_blake2b512(), nil)
            precondition(done == 1, "OpenSSL offers no \(algorithm.rawValue)")
        }
    }

    /// Feeds bytes in order.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        switch state {
        case .xxh3(let raw): mds_xxh3_update(raw, base, bytes.count)
        case .openSSL(let raw): precondition(EVP_DigestUpdate(raw, base, bytes.count) == 1, "OpenSSL digest failed")
        }
    }

    /// Feeds a run of zero bytes: a hole of a sparse file.
    package func updateZeros(_ count: Int64) {
        var left = count
        Self.zeros.withUnsafeBytes { zeros in
            while left > 0 {
                let piece = Int(min(left, Int64(zeros.count)))
                update(UnsafeRawBufferPointer(rebasing: zeros[..<piece]))
                left -= Int64(piece)
            }
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 65_536)

    /// The digest of all that was fed since the last reset.
    package func finish() -> Digest {
        switch state {
        case .xxh3(let raw):
            return Digest(xxh3: mds_xxh3_finish(raw))
        case .openSSL(let raw):
            let bytes = [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { buffer, count in
                var length: UInt32 = 0
                precondition(EVP_DigestFinal_ex(raw, buffer.baseAddress, &length) == 1, "OpenSSL digest failed")
                count = Int(length)
            }
            return Digest(algorithm: algorithm, bytes: bytes)
        }
    }

    /// The digest of one buffer in one go: for files that fit in one read.
    package func digest(of bytes: UnsafeRawBufferPointer) -> Digest {
        if case .xxh3 = state, let base = bytes.baseAddress {
            return Digest(xxh3: mds_xxh3_of(base, bytes.count))
        }
        reset()
        update(bytes)
        return finish()
    }
}

extension Digest {
    /// The canonical (big-endian) form, which `xxhsum -H2` prints.
    fileprivate init(xxh3 value: mds_xxh3_digest) {
        let bytes = [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            withUnsafeBytes(of: value.high.bigEndian) { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            withUnsafeBytes(of: value.low.bigEndian) {
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[8...]).copyMemory(
                    from: $0
                )
            }
            count = 16
        }
        self.init(algorithm: .xxh3, bytes: bytes)
    }
}
