package import MediaModel

/// Where the Redis server is that holds Mastodon's cache, as Mastodon's variables say.
package struct CacheSettings: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case socket(path: String)
    }

    package var place: Place
    package var database = 0
    package var user: String?
    /// Never printed.
    private var secret: Secret?
    /// What all keys of the cache begin with.
    package var namespace = "cache"

    package init(place: Place) {
        self.place = place
    }

    /// - Parameter value: looks a variable of Mastodon's environment up. Variables of the cache alone win over the common ones.
    package init(mastodon value: (String) -> String?) throws(SyncError) {
        func set(_ name: String) -> String? { value(name).flatMap { $0.isEmpty ? nil : $0 } }
        if set("CACHE_REDIS_SENTINELS") ?? set("REDIS_SENTINELS") != nil {
            throw Self.unusable("sentinels are not supported")
        }
        let isOwn = ["URL", "HOST", "PORT", "DB"].contains { set("CACHE_REDIS_\($0)") != nil }
        let prefix = isOwn ? "CACHE_REDIS_" : "REDIS_"
        if let url = set("\(prefix)URL") {
            try self.init(url: url)
        } else {
            guard let port = Int(set("\(prefix)PORT") ?? "6379"), (1...65_535).contains(port) else {
                throw Self.unusable("\(prefix)PORT is no port")
            }
            self.init(place: Self.place(host: set("\(prefix)HOST") ?? "localhost", port: port))
            guard let database = Int(set("\(prefix)DB") ?? "0"), database >= 0 else {
                throw Self.unusable("\(prefix)DB is no number")
            }
            self.database = database
            user = set("\(prefix)USER")
            secret = set("\(prefix)PASSWORD").map(Secret.init)
        }
        if let common = set("REDIS_NAMESPACE") { namespace = "\(common)_cache" }
    }

    /// - Parameter url: `redis://user:password@host:port/0` or `unix:///path`. It may hold a password, so no part of it is
    ///   repeated in an error.
    package init(url: String) throws(SyncError) {
        guard let colon = url.firstIndex(of: ":") else { throw Self.unusable("the URL has no scheme") }
        let rest = url[url.index(after: colon)...]
        switch url[..<colon] {
        case "unix":
            let path = rest.hasPrefix("//") ? rest.dropFirst(2) : rest
            let parts = path.split(separator: "?", maxSplits: 1)
            guard let first = parts.first, first.hasPrefix("/") else { throw Self.unusable("the URL has no path") }
            self.init(place: .socket(path: Self.decoded(first)))
            for option in parts.dropFirst().first?.split(separator: "&") ?? [] where option.hasPrefix("db=") {
                database = try Self.database(option.dropFirst(3))
            }
        case "redis":
            guard rest.hasPrefix("//") else { throw Self.unusable("the URL has no host") }
            try self.init(authority: rest.dropFirst(2))
        case "rediss": throw Self.unusable("TLS to Redis is not supported")
        default: throw Self.unusable("the URL is of another scheme than redis and unix")
        }
    }

    private init(authority rest: Substring) throws(SyncError) {
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts[0].split(separator: "?")[0...].first ?? ""
        let at = whole.lastIndex(of: "@")
        let host = at.map { whole[whole.index(after: $0)...] } ?? whole
        let portColon = host.lastIndex(of: ":").flatMap { host.hasSuffix("]") ? nil : $0 }
        let name = portColon.map { host[..<$0] } ?? host
        guard let port = portColon.map({ Int(host[host.index(after: $0)...]) }) ?? 6379, (1...65_535).contains(port)
        else {
            throw Self.unusable("the URL has a port that is none")
        }
        let bare = name.hasPrefix("[") ? name.dropFirst().dropLast() : name
        self.init(place: .tcp(host: bare.isEmpty ? "localhost" : Self.decoded(bare), port: port))
        if let at {
            let pair = whole[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = pair[0].isEmpty ? nil : Self.decoded(pair[0])
            if pair.count > 1, !pair[1].isEmpty { secret = Secret(Self.decoded(pair[1])) }
        }
        if parts.count > 1, let number = parts[1].split(separator: "?").first { database = try Self.database(number) }
    }

    /// A path as host is a socket.
    private static func place(host: String, port: Int) -> Place {
        host.hasPrefix("/") ? .socket(path: host) : .tcp(host: host, port: port)
    }

    private static func database(_ text: Substring) throws(SyncError) -> Int {
        guard let number = Int(text), number >= 0 else { throw unusable("the URL has a database that is no number") }
        return number
    }

    var password: String? { secret?.text }

    private static func unusable(_ why: String) -> SyncError {
        SyncError(.configuration, "the Redis settings cannot be used", why: why)
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A text that no description shows.
    private struct Secret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        let text: String
        init(_ text: String) { self.text = text }
        var description: String { "..." }
        var customMirror: Mirror { Mirror(self, children: []) }
    }
}

extension CacheSettings: CustomStringConvertible {
    /// `Redis at localhost:6379`, without user and password.
    package var description: String {
        switch place {
        case .tcp(let host, let port): "Redis at \(BytePath.escaped(Array(host.utf8))):\(port)"
        case .socket(let path): "Redis at \(BytePath.escaped(Array(path.utf8)))"
        }
    }
}
