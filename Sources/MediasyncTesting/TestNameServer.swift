internal import Glibc
internal import MediaModel

/// A name server of a test's own, and a program's view of the machine in which it is the only one: it answers with what the test says, or
/// hears every question and answers none. Needs root: the port is 53, and `/etc/resolv.conf` is replaced in a mount namespace of the
/// program's own.
package final class TestNameServer: Sendable {
    private let descriptor: Int32
    private let place: TemporaryDirectory

    /// - Parameters:
    ///   - address: one of 127.0.0.0/8, another one for each test.
    ///   - answers: the IPv4 address of each name, in lower case; other names do not exist. Nil answers nothing.
    package init(address: String, answers: [String: String]? = nil) throws {
        place = try TemporaryDirectory()
        let made = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw TestFault("no socket") }
        descriptor = made
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(53).bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestFault("cannot listen for names: \(String(cString: strerror(errno)))") }
        let patience = answers == nil ? "timeout:30 attempts:5" : "timeout:5 attempts:2"
        try Disk.write(place.path / "resolv.conf", "nameserver \(address)\noptions \(patience)\n")
        guard let answers else { return }
        guard OriginThread.start({ Self.serve(made, answers) }) else { throw TestFault("no thread for names") }
    }

    deinit {
        // Wakes the thread, which ends.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// Put in front of a program that shall ask this server.
    package var wrapper: [String] {
        let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", script, (place.path / "resolv.conf").description]
    }

    // MARK: Answering

    private static func serve(_ descriptor: Int32, _ answers: [String: String]) {
        while true {
            var packet = [UInt8](repeating: 0, count: 512)
            var sender = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &sender) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &packet, packet.count, 0, $0, &size)
                }
            }
            if count <= 0 { return }
            guard let reply = reply(to: Array(packet.prefix(count)), answers) else { continue }
            _ = withUnsafePointer(to: &sender) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, reply, reply.count, 0, $0, size)
                }
            }
        }
    }

    /// A whole answer of RFC 1035; nil to what is no question.
    private static func reply(to question: [UInt8], _ answers: [String: String]) -> [UInt8]? {
        guard question.count > 16 else { return nil }
        var labels: [String] = []
        var index = 12
        while index < question.count, question[index] != 0 {
            let end = index + 1 + Int(question[index])
            guard end < question.count else { return nil }
            labels.append(String(decoding: question[(index + 1)..<end], as: UTF8.self).lowercased())
            index = end
        }
        let end = index + 5
        guard end <= question.count else { return nil }
        let isIPv4 = question[index + 1] == 0 && question[index + 2] == 1
        let address = answers[labels.joined(separator: ".")].map { $0.split(separator: ".").compactMap { UInt8($0) } }
        // A name that has only an IPv4 address exists, without an answer, for who asks for another kind.
        let flags: [UInt8] = [0x81, address == nil ? 0x83 : 0x80]
        let counts: [UInt8] = [0, 1, 0, isIPv4 && address != nil ? 1 : 0, 0, 0, 0, 0]
        var reply = question[..<2] + flags + counts + question[12..<end]
        if isIPv4, let address { reply += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4] + address }
        return Array(reply)
    }
}

extension Requirement {
    package static let canAnswerNames = isRoot && has("unshare", "mount")
}
