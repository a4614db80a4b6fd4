/// Where an answer leads on a host that was not asked so far: to be gone on with when that host's turn comes.
package struct FetchRedirect: Sendable, Hashable {
    /// What is asked for next, judged already, as it is sent.
    package let url: String
    /// Every address asked for until now: how many they may be, and that none comes twice, holds over all of them.
    let trail: [String]
    /// From the start of the fetch to the answer that leads on.
    package let nanoseconds: Int64

    package init(url: String, trail: [String], nanoseconds: Int64) {
        self.url = url
        self.trail = trail
        self.nanoseconds = nanoseconds
    }

    /// Bytes of its addresses: what keeping it costs.
    package var byteCount: Int { trail.reduce(url.utf8.count) { $0 + $1.utf8.count } }
}

extension FetchRequest {
    /// The same request where a redirect led to.
    package mutating func goOn(at redirect: FetchRedirect) {
        url = redirect.url
        trail = redirect.trail
    }
}
