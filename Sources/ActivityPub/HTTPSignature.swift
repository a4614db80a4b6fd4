internal import COpenSSL
package import Fetching

/// The signature of a GET as Mastodon makes it (draft-cavage-http-signatures): over request line, host and date.
package enum HTTPSignature {
    /// The headers that go with a GET of this address; empty where signing fails.
    package static func headers(for url: FetchURL, key: InstanceKey, secondsSince1970: Int64) -> [FetchHeader] {
        let date = HTTPDate.text(secondsSince1970: secondsSince1970)
        let text = "(request-target): get \(url.target)\nhost: \(url.authority)\ndate: \(date)"
        guard let signature = key.signature(of: text) else { return [] }
        let value =
            "keyId=\"\(key.keyID)\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date\","
            + "signature=\"\(base64(signature))\""
        return [FetchHeader("Date", date), FetchHeader("Signature", value)]
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(max(0, count))), as: UTF8.self)
    }
}
