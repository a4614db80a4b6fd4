internal import Pacing
internal import Synchronization

/// What a run is going to fetch: items by host, those of people followed here in front.
final class RefreshPlan: Sendable {
    struct Entry: Sendable {
        let item: RefreshItem
        let host: HostID
    }

    private struct State {
        var hosts = HostTable()
        var followed: [Entry] = []
        var others: [Entry] = []
    }

    private let state = Mutex(State())

    /// - Parameter thumbnailHost: of the thumbnail that is planned behind this file; nil for none.
    func add(_ item: RefreshItem, host: String, thumbnailHost: String? = nil, isFollowed: Bool) {
        state.withLock { state in
            var item = item
            item.thumbnailHost = thumbnailHost.map { state.hosts.id(for: $0) }
            let entry = Entry(item: item, host: state.hosts.id(for: host))
            if isFollowed { state.followed.append(entry) } else { state.others.append(entry) }
        }
    }

    /// The entries in their order, and the hosts' names. The plan is empty afterwards.
    func take() -> (entries: [Entry], hosts: HostTable) {
        state.withLock { state in
            defer { state = State() }
            return (state.followed + state.others, state.hosts)
        }
    }

    var count: Int { state.withLock { $0.followed.count + $0.others.count } }
    var hostCount: Int { state.withLock { $0.hosts.count } }
}

/// The host of a URL, as the schedule counts hosts. What is no URL with a host has the empty one: the fetch says why.
enum HostName {
    static func of(_ url: String) -> String {
        let bytes = Array(url.utf8)
        guard let scheme = bytes.firstRange(of: Array("://".utf8)) else { return "" }
        var rest = bytes[scheme.upperBound...]
        if let end = rest.firstIndex(where: { [0x2F, 0x3F, 0x23, 0x5C].contains($0) }) { rest = rest[..<end] }
        if let at = rest.lastIndex(of: 0x40) { rest = rest[(at + 1)...] }
        if rest.first != 0x5B, let colon = rest.firstIndex(of: 0x3A) { rest = rest[..<colon] }
        return rest.count > 255 ? "" : String(decoding: rest, as: UTF8.self).lowercased()
    }
}
