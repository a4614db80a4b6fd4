internal import Glibc
internal import MediaModel

/// A name server that hears every question and answers none, and a program's view of the machine in which it is the only one. Needs
/// root: the port is 53, and `/etc/resolv.conf` is replaced in a mount namespace of the program's own.
package final class SilentNameServer: Sendable {
    private let descriptor: Int32
    private let place: TemporaryDirectory

    package init(address: String = "127.53.53.53") throws {
        place = try TemporaryDirectory()
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFault("no socket") }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(53).bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestFault("cannot listen for names: \(String(cString: strerror(errno)))") }
        try Disk.write(place.path / "resolv.conf", "nameserver \(address)\noptions timeout:30 attempts:5\n")
    }

    deinit { close(descriptor) }

    /// Put in front of a program that shall ask this server.
    package var wrapper: [String] {
        let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", script, (place.path / "resolv.conf").description]
    }
}

extension Requirement {
    package static let canHideNames = isRoot && has("unshare", "mount")
}
