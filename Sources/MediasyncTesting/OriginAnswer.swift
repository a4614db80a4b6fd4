/// A request as an origin heard it.
package struct OriginRequest: Sendable {
    package let method: String
    /// Path and query.
    package let target: String
    /// Names in lower case.
    package let headers: [String: String]
    /// The whole head.
    package let text: String
    /// Monotonic seconds.
    package let at: Double
    /// Which connection it came by.
    package let connection: Int

    /// The host that was asked for, without its port.
    package var host: String {
        let host = headers["host"] ?? ""
        return host.lastIndex(of: ":").map { String(host[..<$0]) } ?? host
    }

    package var path: String { String(target.prefix { $0 != "?" }) }
}

/// A request and how it ended.
package struct OriginRecord: Sendable {
    package let request: OriginRequest
    /// What was answered; 0 while it is not, and where it was no whole answer.
    package let status: Int
    /// Monotonic seconds; infinity while it is under way.
    package let endedAt: Double
}

/// What an origin says.
package indirect enum OriginAnswer: Sendable {
    /// 200 with a body and its length.
    case body([UInt8], type: String = "application/octet-stream")
    /// Any status; the length is added unless a header names one.
    case status(Int, headers: [String] = [], body: [UInt8] = [])
    /// Whatever these do.
    case steps([OriginStep])
    /// The same, but later.
    case late(seconds: Double, OriginAnswer)
}

/// A piece of a misbehaviour.
package enum OriginStep: Sendable {
    case send([UInt8])
    case text(String)
    /// The same again and again, until the other side goes.
    case sendForever([UInt8])
    /// The same now and then, until something holds.
    case sendUntil([UInt8], everySeconds: Double, @Sendable () -> Bool)
    /// One byte at a time.
    case trickle([UInt8], everySeconds: Double)
    case pause(seconds: Double)
    /// Nothing, until the other side goes.
    case hang
    case reset
    case close
}

extension [OriginRecord] {
    /// The most requests that were under way at one time at a host.
    package func mostInFlight(host: String) -> Int {
        let own = filter { $0.request.host == host }
        return own.map { one in
            own.count { $0.request.at <= one.request.at && one.request.at < $0.endedAt }
        }.max() ?? 0
    }

    /// The shortest time in seconds between two requests of a host.
    package func shortestGap(host: String) -> Double {
        let times = filter { $0.request.host == host }.map(\.request.at).sorted()
        return zip(times.dropFirst(), times).map { $0 - $1 }.min() ?? .infinity
    }
}
