package import MediaModel

extension FetchOptions {
    /// The options of a Mastodon server, from the variables that it reads itself.
    /// - Parameters:
    ///   - version: ours, for the User-Agent.
    ///   - value: looks a variable of Mastodon's environment up.
    package init(version: String, mastodon value: (String) -> String?) throws(SyncError) {
        func set(_ name: String) -> String? { value(name).flatMap { $0.isEmpty ? nil : $0 } }
        let domain = set("WEB_DOMAIN") ?? set("LOCAL_DOMAIN") ?? "localhost:3000"
        // It becomes part of a header: a line end in it would begin another one.
        guard domain.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw SyncError(
                .configuration,
                "WEB_DOMAIN or LOCAL_DOMAIN is no domain: \(BytePath.escaped(Array(domain.utf8)))"
            )
        }
        self.init(userAgent: Self.userAgent(version: version, webDomain: domain))
        proxy = set("http_proxy")
        hiddenProxy = set("http_hidden_proxy")
        allowsHiddenServices = set("ALLOW_ACCESS_TO_HIDDEN_SERVICE") == "true"
        allowedPrivateAddresses = try Self.ranges(set("ALLOWED_PRIVATE_ADDRESSES") ?? "")
    }

    /// Reads addresses and networks that are separated by commas or blanks.
    private static func ranges(_ text: String) throws(SyncError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" || $0 == "\n" }) {
            guard let range = AddressRange(String(word)) else {
                throw SyncError(
                    .configuration,
                    "ALLOWED_PRIVATE_ADDRESSES is wrong",
                    why: "\(BytePath.escaped(Array(word.utf8))) is neither an address nor a network",
                    hint: "write addresses as 10.0.0.5, networks as 10.0.0.0/24 or fd00::/8"
                )
            }
            ranges.append(range)
        }
        return ranges
    }
}
