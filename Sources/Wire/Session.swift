/// By what further connections of one run find the first one's far end, and prove that they belong to it.
package struct WireSession: Hashable, Sendable {
    /// What the far end is found by: other users of its machine can see it.
    package var id: [UInt8]
    /// What nobody but the two ends knows.
    package var secret: [UInt8]
    /// How many connections there are to be, the first among them.
    package var connections: UInt32

    /// - Parameters:
    ///   - id: of `WireLimit.sessionIDBytes`.
    ///   - secret: of `WireLimit.secretBytes`.
    package init(id: [UInt8], secret: [UInt8], connections: UInt32) {
        self.id = id
        self.secret = secret
        self.connections = connections
    }
}

/// The first frame of a further connection: with which far end it goes.
package struct WireJoin: Hashable, Sendable {
    package var version: UInt64
    package var id: [UInt8]
    package var secret: [UInt8]
    /// Which of the run's connections it is; the first one is 0.
    package var number: UInt32

    package init(version: UInt64 = WireLimit.version, id: [UInt8], secret: [UInt8], number: UInt32) {
        self.version = version
        self.id = id
        self.secret = secret
        self.number = number
    }
}

extension WireReader {
    mutating func session() throws(WireFault) -> WireSession {
        let session = WireSession(
            id: try exactly(WireLimit.sessionIDBytes),
            secret: try exactly(WireLimit.secretBytes),
            connections: UInt32(try unsigned(UInt64(WireLimit.connections)))
        )
        if session.connections < 2 { throw WireFault("a hello speaks of further connections and has none") }
        return session
    }

    mutating func join() throws(WireFault) -> WireJoin {
        let version = try unsigned()
        // What another version says behind its number is not known here.
        if version != WireLimit.version { return WireJoin(version: version, id: [], secret: [], number: 0) }
        let join = WireJoin(
            id: try exactly(WireLimit.sessionIDBytes),
            secret: try exactly(WireLimit.secretBytes),
            number: UInt32(try unsigned(UInt64(WireLimit.connections - 1)))
        )
        if join.number == 0 { throw WireFault("a further connection says that it is the first") }
        return join
    }

    private mutating func exactly(_ count: Int) throws(WireFault) -> [UInt8] {
        let bytes = try bytes(count)
        if bytes.count != count { throw WireFault("a session is named by too few bytes") }
        return bytes
    }
}

extension WireWriter {
    mutating func session(_ session: WireSession) {
        data(session.id)
        data(session.secret)
        unsigned(session.connections)
    }

    mutating func join(_ join: WireJoin) {
        unsigned(join.version)
        data(join.id)
        data(join.secret)
        unsigned(join.number)
    }
}
