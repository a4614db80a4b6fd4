/// How strangers' servers are asked. The defaults are Mastodon's.
package struct FetchOptions: Sendable {
    /// Transfers at a time; further ones wait inside. Each takes a descriptor or two.
    package var inFlight = 256
    package var deadlines = FetchDeadlines()
    /// Redirects that are followed for one fetch.
    package var redirects = 3
    /// Whether a redirect may lead from https to http.
    package var allowsDowngrade = false
    /// Connections, used and kept for the next fetch from the same host; each holds a descriptor. At least twice `inFlight`.
    package var keptConnections = 1024
    /// Addresses that are fetched from although they are private (`ALLOWED_PRIVATE_ADDRESSES`).
    package var allowedPrivateAddresses: [AddressRange] = []
    /// A proxy for everything. The address guard sees only the proxy then, as Mastodon's does.
    package var proxy: String?
    /// A proxy for `.onion` and `.i2p` names.
    package var hiddenProxy: String?
    package var allowsHiddenServices = false
    package var userAgent: String
    /// Certificates to trust instead of the system's.
    package var certificateFile: String?
    /// Bytes a second over all transfers; nil for no limit.
    package var bytesPerSecond: Int64?
    /// Where every connection goes in truth, e.g. `127.0.0.1:8080`: for tests and demonstrations.
    package var connectTo: String?

    package init(userAgent: String) {
        self.userAgent = userAgent
    }

    /// The User-Agent in Mastodon's form, with our own name.
    package static func userAgent(version: String, webDomain: String) -> String {
        "mediasync/\(version) (Mastodon media; +https://\(webDomain)/)"
    }
}

/// How long each part of a fetch may take; by a clock that does not jump. Redirects start anew.
package struct FetchDeadlines: Sendable {
    /// Name, connection and TLS together.
    package var connect: Duration = .seconds(10)
    /// From the sent request to the first byte of its answer.
    package var firstByte: Duration = .seconds(10)
    /// The longest time with less than `minimumBytes`.
    package var silence: Duration = .seconds(10)
    /// Bytes that must arrive in each `silence`: 1 lets a trickle live, until `total`.
    package var minimumBytes: Int64 = 1
    /// One whole answer.
    package var total: Duration = .seconds(30)

    package init() {}
}
