internal import Catalog
internal import Fetching
internal import Pacing

/// Items that a redirect led to another host, where they wait for their turn.
struct RedirectedItems {
    /// Beyond these the hosts that lead elsewhere are asked for nothing more, until some of their items had their turn.
    private let countMax: Int
    private let bytesMax: Int

    private struct Key: Hashable {
        let kind: MediaKind
        let id: Int64

        init(_ item: RefreshItem) { (kind, id) = (item.kind, item.id) }
    }

    private struct Way {
        /// The row's address: where that is another one by now, the redirect is none of it.
        let source: String
        let redirect: FetchRedirect

        var bytes: Int { source.utf8.count + redirect.byteCount }
    }

    private var ways: [Key: Way] = [:]
    private var bytes = 0
    /// Hosts that led elsewhere.
    private var leading: Set<HostID> = []

    init(countMax: Int = 65_536, bytesMax: Int = 16 << 20) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    /// - Parameters:
    ///   - source: the address in the item's row.
    ///   - host: the one that led on.
    mutating func add(_ item: RefreshItem, of source: String, from host: HostID, _ redirect: FetchRedirect) {
        forget(item)
        let way = Way(source: source, redirect: redirect)
        bytes += way.bytes
        ways[Key(item)] = way
        leading.insert(host)
    }

    /// Where an item goes on; it is known no longer then. Nil for one that begins at its row's address.
    mutating func take(_ item: RefreshItem, of source: String) -> FetchRedirect? {
        guard let way = ways[Key(item)] else { return nil }
        forget(item)
        return way.source == source ? way.redirect : nil
    }

    mutating func forget(_ item: RefreshItem) {
        if let way = ways.removeValue(forKey: Key(item)) { bytes -= way.bytes }
    }

    /// Whether an item would most likely be one more that waits, and there are too many.
    func isCrowded(_ item: RefreshItem, _ host: HostID) -> Bool {
        guard ways.count >= countMax || bytes >= bytesMax else { return false }
        return leading.contains(host) && ways[Key(item)] == nil
    }
}
