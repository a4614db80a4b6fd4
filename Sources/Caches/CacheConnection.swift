internal import CRedis
internal import Glibc
internal import MediaModel

/// One connection to Redis. Its calls block, up to their deadline: for threads of our own; it is not Sendable.
package final class CacheConnection {
    private let raw: UnsafeMutablePointer<redisContext>
    private let namespace: String
    /// Deletes without waiting for memory to be freed; servers before 4.0 know only DEL.
    private var command = "UNLINK"

    /// Keys of one command.
    private static let batch = 500

    /// - Parameter timeout: for connecting, and then for each answer.
    package init(_ settings: CacheSettings, timeout: Duration = .seconds(3)) throws(CacheFault) {
        let limit = Self.time(timeout)
        let made: UnsafeMutablePointer<redisContext>? =
            switch settings.place {
            case .tcp(let host, let port): redisConnectWithTimeout(host, Int32(port), limit)
            case .socket(let path): redisConnectUnixWithTimeout(path, limit)
            }
        guard let made else { throw CacheFault(message: "no memory for a connection") }
        guard made.pointee.err == 0, redisSetTimeout(made, limit) == REDIS_OK else {
            defer { redisFree(made) }
            throw CacheFault(message: Self.error(of: made))
        }
        raw = made
        namespace = settings.namespace
        if let password = settings.password {
            try expectOK(["AUTH"] + (settings.user.map { [$0] } ?? []) + [password])
        }
        if settings.database > 0 { try expectOK(["SELECT", "\(settings.database)"]) }
        // Whether it takes orders at all: a server that loads its file, or wants a password, says so.
        try expectOK(["PING"])
    }

    deinit { redisFree(raw) }

    /// Deletes keys, in batches.
    /// - Returns: how many of them there were.
    package func delete(_ keys: [String]) throws(CacheFault) -> Int {
        var deleted = 0
        var start = 0
        while start < keys.count {
            let end = min(start + Self.batch, keys.count)
            deleted += try deleteBatch(keys[start..<end])
            start = end
        }
        return deleted
    }

    private func deleteBatch(_ keys: ArraySlice<String>) throws(CacheFault) -> Int {
        let names = keys.map { "\(namespace):\($0)" }
        switch try answer(to: [command] + names) {
        case .number(let count): return count
        case .error(let text) where command == "UNLINK" && text.lowercased().contains("unknown command"):
            command = "DEL"
            return try deleteBatch(keys)
        case .error(let text): throw CacheFault(message: text)
        default: throw CacheFault(message: "an answer that was not expected")
        }
    }

    // MARK: Commands

    enum Answer {
        case number(Int)
        case ok
        case text([UInt8])
        case texts([[UInt8]])
        case error(String)
    }

    private func expectOK(_ words: [String]) throws(CacheFault) {
        if case .error(let text) = try answer(to: words) { throw CacheFault(message: text) }
    }

    func answer(to words: [String]) throws(CacheFault) -> Answer {
        let texts = words.map { strdup($0) }
        defer { for text in texts { free(text) } }
        var pointers = texts.map { UnsafePointer<CChar>($0) }
        let lengths = words.map(\.utf8.count)
        let made = PipeSignal.withoutIt { redisCommandArgv(raw, Int32(words.count), &pointers, lengths) }
        guard let reply = made else {
            throw CacheFault(message: Self.error(of: raw))
        }
        defer { freeReplyObject(reply) }
        let answer = reply.assumingMemoryBound(to: redisReply.self).pointee
        switch answer.type {
        case REDIS_REPLY_INTEGER: return .number(Int(answer.integer))
        case REDIS_REPLY_ERROR: return .error(Self.escaped(answer.str))
        case REDIS_REPLY_STRING: return .text(Self.bytes(of: answer))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: answer.element, count: answer.elements)
            return .texts(elements.compactMap { $0.map { Self.bytes(of: $0.pointee) } })
        default: return .ok
        }
    }

    /// Nothing where it is no text.
    private static func bytes(of answer: redisReply) -> [UInt8] {
        guard answer.type == REDIS_REPLY_STRING, let text = answer.str else { return [] }
        return Array(UnsafeRawBufferPointer(start: text, count: answer.len))
    }

    private static func error(of raw: UnsafeMutablePointer<redisContext>) -> String {
        // Before the first member of an array there is nothing: the text begins at its address.
        let text = withUnsafePointer(to: &raw.pointee.errstr) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 128) { escaped($0) }
        }
        return text.isEmpty ? "the connection broke" : text
    }

    private static func escaped(_ text: UnsafePointer<CChar>?) -> String {
        text.map { BytePath.escaped(Array(String(cString: $0).utf8)) } ?? ""
    }

    private static func time(_ duration: Duration) -> timeval {
        let parts = duration.components
        return timeval(tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
    }
}

/// Why Redis did not do what it was asked; never a reason to end a run.
package struct CacheFault: Error, Sendable, Equatable {
    /// One line, escaped.
    package let message: String

    package init(message: String) {
        self.message = message
    }
}
