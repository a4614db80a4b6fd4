internal import Glibc
package import MediaModel

/// An OpenSSH server of its own on a loopback port, with throw-away keys and settings. It ends with the value, and with the
/// test's process, however that ends.
package final class SSHServer: Sendable {
    private let directory: TemporaryDirectory
    private let supervisor: Supervisor
    private let port: UInt16

    /// - Parameters:
    ///   - command: what the key may run, whatever it asks for.
    ///   - environment: what its sessions get besides.
    ///   - startsMax: sshd's `MaxStartups`.
    package init(
        command: String? = nil,
        environment: [String: String] = [:],
        startsMax: String = "100"
    ) throws {
        directory = try TemporaryDirectory()
        supervisor = Supervisor(litter: [directory.path.description], stopSignal: "TERM")
        port = try Self.freePort()
        try Disk.setMode(directory.path, 0o700)
        for name in ["host", "user"] {
            try Program("ssh-keygen").check(["-q", "-t", "ed25519", "-N", "", "-f"], directory.path / name)
        }
        let restriction = command.map { "command=\"\($0)\",restrict " } ?? ""
        let key = try Disk.text(directory.path / "user.pub")
        try Disk.write(directory.path / "authorized", restriction + key, mode: 0o600)
        let settings = """
            ListenAddress 127.0.0.1:\(port)
            HostKey \(directory.path)/host
            AuthorizedKeysFile \(directory.path)/authorized
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            PermitRootLogin yes
            MaxStartups \(startsMax)
            """
        let variables = environment.map { "SetEnv \($0.key)=\($0.value)\n" }.joined()
        try Disk.write(directory.path / "settings", settings + "\n" + variables)
        // The server insists on this directory of Debian's for its own separation of rights.
        try? Disk.makeDirectory(BytePath("/run/sshd"))
        let log = directory.path / "log"
        try supervisor.start(
            ["/usr/sbin/sshd", "-D", "-e", "-f", (directory.path / "settings").description],
            log: log
        )
        let words = shell.split(separator: " ").dropFirst().map(String.init)
        let answers = RunningProgram.eventually {
            (try? Program("ssh").run(words + ["127.0.0.1", "true"]))?.exitCode == 0
        }
        if command == nil, !answers { throw TestFault("sshd did not start: \((try? Disk.text(log)) ?? "")") }
    }

    /// For `--rsh`.
    package var shell: String {
        "ssh -F none -p \(port) -i \(directory.path)/user -o BatchMode=yes -o StrictHostKeyChecking=no "
            + "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    }

    private static func freePort() throws -> UInt16 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        if listener < 0 || !found { throw TestFault("no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// Stands in for ssh where only the two ends matter: runs the command on this machine.
package struct LocalShell {
    /// For `--rsh`.
    package let path: BytePath

    /// - Parameter before: lines that the far machine's shell runs first.
    package init(in place: TemporaryDirectory, before: String = "") throws {
        path = place.path / "rsh"
        let script = """
            #!/bin/sh
            while [ "$1" != "--" ]; do shift; done
            shift 2
            \(before)
            exec sh -c "exec $*"
            """
        try Disk.write(path, script + "\n", mode: 0o755)
    }
}

extension Requirement {
    package static let hasSSH = has("sshd", "ssh", "ssh-keygen")
}
