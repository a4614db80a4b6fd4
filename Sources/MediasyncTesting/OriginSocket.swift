internal import Glibc

/// The socket calls of a server on loopback.
enum OriginSocket {
    static func listen(on address: String) throws -> Int32 {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw TestFault("no socket") }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1, address.hasPrefix("127.") else {
            throw TestFault("\(address) is no loopback address")
        }
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0, Glibc.listen(made, 1024) == 0 else {
            throw TestFault("cannot listen on \(address): \(String(cString: strerror(errno)))")
        }
        return made
    }

    static func port(of socket: Int32) throws -> Int {
        var place = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
        }
        guard result == 0 else { throw TestFault("a socket without a name") }
        return Int(UInt16(bigEndian: place.sin_port))
    }

    static func accept(_ listening: Int32) -> Int32 {
        while true {
            let made = Glibc.accept(listening, nil, nil)
            if made >= 0 {
                _ = fcntl(made, F_SETFD, FD_CLOEXEC)
                var on: Int32 = 1
                setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return made
            }
            if errno != EINTR && errno != ECONNABORTED { return -1 }
        }
    }

    /// Closes so that the other side gets a reset.
    static func reset(_ socket: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
