internal import COpenSSL
package import MediaModel

/// The key of the instance's own actor, with which Mastodon signs what it asks of other servers.
package final class InstanceKey: Sendable {
    /// Where other servers find the public half: `https://example.social/actor#main-key`.
    package let keyID: String
    /// Never changed after it was read; freed by its one owner, this value.
    private nonisolated(unsafe) let key: OpaquePointer

    /// - Parameters:
    ///   - pem: the private key as the database has it. No part of it is repeated in an error.
    ///   - keyID: the address of the public key.
    package init(pem: String, keyID: String) throws(SyncError) {
        guard keyID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }), !keyID.isEmpty else {
            throw Self.unusable("its address is none")
        }
        let bytes = Array(pem.utf8.prefix(64 * 1024))
        guard let key = bytes.withUnsafeBytes({ mds_read_private_key($0.baseAddress, Int32($0.count)) }) else {
            throw Self.unusable("it is no private key that can be read")
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(key)
            throw Self.unusable("it is no RSA key")
        }
        self.keyID = keyID
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    private static func unusable(_ why: String) -> SyncError {
        SyncError(
            .configuration,
            "the key of the instance's actor cannot be used",
            why: why,
            hint: "pass --no-actor-lookup to go on without it"
        )
    }

    /// RSA-SHA256 (PKCS #1) of a text; nil where OpenSSL fails.
    func signature(of text: String) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { return nil }
        let bytes = Array(text.utf8)
        var size = 0
        guard EVP_DigestSign(context, nil, &size, bytes, bytes.count) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: size)
        guard EVP_DigestSign(context, &signature, &size, bytes, bytes.count) == 1 else { return nil }
        return Array(signature.prefix(size))
    }
}
