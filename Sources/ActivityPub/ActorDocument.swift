package import Fetching

/// What an actor's document says about its pictures.
package struct ActorDocument: Sendable, Equatable {
    package let id: String
    /// The avatar's address; nil where the actor has none.
    package let icon: String?
    /// The header's.
    package let image: String?

    /// Reads a document.
    /// - Parameters:
    ///   - bytes: as a stranger sent them.
    ///   - uri: what was asked for.
    package init(_ bytes: [UInt8], askedFor uri: FetchURL) throws(FetchFault) {
        guard let document = JSONValue(bytes) else { throw Self.bad("it is no JSON, or too deep") }
        guard let id = document["id"]?.text else { throw Self.bad("it has no id") }
        // A server speaks for its own actors only.
        guard let owner = try? FetchURL(id), owner.host == uri.host, owner.port == uri.port else {
            throw Self.bad("its id is of another host")
        }
        let types: [JSONValue] =
            switch document["type"] {
            case .array(let types): types
            case .some(let type): [type]
            case nil: []
            }
        guard types.contains(where: { $0.text.map(Self.actorTypes.contains) == true }) else {
            throw Self.bad("it is none of an actor")
        }
        self.id = id
        icon = Self.picture(document["icon"])
        image = Self.picture(document["image"])
    }

    private static let actorTypes: Set<String> = ["Application", "Group", "Organization", "Person", "Service"]

    /// An object with a `url`, a list of them, or the address itself; the `url` may be a list or a link in turn.
    private static func picture(_ value: JSONValue?) -> String? {
        guard let picture = value?.first else { return nil }
        if let text = picture.text { return text.isEmpty ? nil : text }
        guard let url = picture["url"]?.first else { return nil }
        let text = url.text ?? url["href"]?.text
        return text?.isEmpty == false ? text : nil
    }

    private static func bad(_ why: String) -> FetchFault {
        FetchFault(.protocolError, "the actor's document is refused: \(why)")
    }
}
