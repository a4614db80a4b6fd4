package import MediaModel

/// A directory on another machine, as rsync and ssh name it: `[user@]host:path` or `ssh://[user@]host[:port]/path`.
package struct RemotePlace: Sendable, Equatable {
    package var user: String?
    package var host: String
    package var port: Int?
    /// Relative ones begin in the user's home directory there.
    package var path: BytePath

    /// Nil where a path is one of this machine: as in rsync, a colon makes it remote that no slash stands before.
    /// - Throws: for what names a machine and cannot be used.
    package init?(_ argument: BytePath) throws(SyncError) {
        let bytes = argument.bytes
        let scheme = Array("ssh://".utf8)
        if bytes.starts(with: scheme) {
            let rest = bytes.dropFirst(scheme.count)
            guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
                throw Self.problem(argument, "it has no path")
            }
            var authority = rest[..<slash]
            if let colon = authority.lastIndex(of: UInt8(ascii: ":")), authority.last != UInt8(ascii: "]") {
                guard let port = Int(String(decoding: authority[(colon + 1)...], as: UTF8.self)),
                    (1...65_535).contains(port)
                else { throw Self.problem(argument, "its port is no number from 1 to 65535") }
                self.port = port
                authority = authority[..<colon]
            }
            path = BytePath(bytes: Array(rest[slash...]))
            (user, host) = try Self.split(authority, argument)
            return
        }
        guard let colon = Self.colon(in: bytes), !bytes[..<colon].contains(UInt8(ascii: "/")) else { return nil }
        let path = bytes[(colon + 1)...]
        self.path = path.isEmpty ? BytePath(".") : BytePath(bytes: Array(path))
        (user, host) = try Self.split(bytes[..<colon], argument)
    }

    /// The colon behind the host, which may be an address in brackets.
    private static func colon(in bytes: [UInt8]) -> Int? {
        let start = bytes.firstIndex(of: UInt8(ascii: "]")) ?? 0
        return bytes[start...].firstIndex(of: UInt8(ascii: ":"))
    }

    private static func split(_ bytes: ArraySlice<UInt8>, _ argument: BytePath) throws(SyncError) -> (String?, String) {
        let at = bytes.lastIndex(of: UInt8(ascii: "@"))
        let user = at.map { String(decoding: bytes[..<$0], as: UTF8.self) }
        var host = bytes[(at.map { $0 + 1 } ?? bytes.startIndex)...]
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = host.dropFirst().dropLast() }
        for word in [user.map { Array($0.utf8) } ?? [0x61], Array(host)] {
            // ssh would take it for an option.
            if word.isEmpty || word[0] == UInt8(ascii: "-") || word.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
                throw problem(argument, "its user or host is no name")
            }
        }
        return (user, String(decoding: host, as: UTF8.self))
    }

    private static func problem(_ argument: BytePath, _ why: String) -> SyncError {
        SyncError(
            .usage,
            "\(argument) names no directory on another machine",
            why: why,
            hint: "write [user@]host:path or ssh://user@host:port/path; a path here with a colon in it: ./a:b"
        )
    }

    /// What ssh is told before the command.
    var destination: [String] {
        (port.map { ["-p", String($0)] } ?? []) + (user.map { ["-l", $0] } ?? []) + ["--", host]
    }
}
