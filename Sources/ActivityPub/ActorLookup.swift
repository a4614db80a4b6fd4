package import Fetching

/// Asks an actor's own server for its document, signed as the instance's actor signs.
package struct ActorLookup: Sendable {
    private let engine: FetchEngine
    private let key: InstanceKey?

    /// The most bytes of a document.
    private static let byteLimit: Int64 = 1 << 20
    private static let accepted =
        "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""

    /// - Parameter key: nil asks unsigned; many servers do not answer that.
    package init(engine: FetchEngine, key: InstanceKey?) {
        self.engine = engine
        self.key = key
    }

    /// - Parameter uri: the actor's, from its row.
    package func document(of uri: String) async throws(FetchFault) -> ActorDocument {
        try Self.document(in: try await engine.fetch(Self.request(of: uri, key: key)), of: uri)
    }

    /// The request for an actor's document, signed where there is a key.
    package static func request(of uri: String, key: InstanceKey?) -> FetchRequest {
        var request = FetchRequest(
            url: uri,
            byteLimit: byteLimit,
            body: .memory,
            headers: [FetchHeader("Accept", accepted)]
        )
        if let key {
            // Each redirect gets a signature of its own.
            request.headersForURL = { HTTPSignature.headers(for: $0, key: key, secondsSince1970: HTTPDate.now) }
        }
        return request
    }

    /// Reads the answer to such a request.
    package static func document(in answer: FetchAnswer, of uri: String) throws(FetchFault) -> ActorDocument {
        let url = try FetchURL(uri)
        guard let final = try? FetchURL(answer.finalURL), final.host == url.host, final.port == url.port else {
            throw FetchFault(.badRedirect, "the actor's address leads to another host")
        }
        // A file that somebody uploaded there is no document of the server's.
        guard isActivity(answer.contentType ?? "") else {
            throw FetchFault(.protocolError, "the actor's document is refused: it is of another type")
        }
        return try ActorDocument(answer.body, askedFor: url)
    }

    /// Whether a content type is ActivityPub's.
    static func isActivity(_ type: String) -> Bool {
        let parts = type.lowercased().split(separator: ";").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        switch parts.first {
        case "application/activity+json": return true
        case "application/ld+json":
            return parts.dropFirst().contains { part in
                part.hasPrefix("profile=") && part.contains("https://www.w3.org/ns/activitystreams")
            }
        default: return false
        }
    }
}
