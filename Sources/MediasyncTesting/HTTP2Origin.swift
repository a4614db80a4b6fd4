internal import Glibc
internal import MediaModel

/// A server with TLS that speaks HTTP/2: Debian's `nghttpd`, with files of a directory of its own.
package final class HTTP2Origin {
    private let directory: TemporaryDirectory
    private let program: RunningProgram
    package let port: Int
    package var place: String { "127.0.0.1:\(port)" }

    /// - Parameter files: by path, without the slash.
    package init(_ authority: TestAuthority, host: String, files: [String: [UInt8]]) throws {
        directory = try TemporaryDirectory()
        let made = try authority.make("server-h2", host: host, flaw: .none)
        for (name, bytes) in files { try Disk.write(directory.path / name, bytes) }
        // It cannot be asked to choose a port: one that was free a moment ago.
        let listening = try OriginSocket.listen(on: "127.0.0.1")
        port = try OriginSocket.port(of: listening)
        close(listening)
        let options = ["-v", "-a", "127.0.0.1", "-d"].map { BytePath($0) }
        let started = try Program("nghttpd").start(
            options + [directory.path, BytePath("\(port)"), made.key, made.certificate]
        )
        program = started
        guard RunningProgram.eventually(within: 20, { started.outputSoFar.contains("listen 127.0.0.1:") }) else {
            throw TestFault("nghttpd did not start: \(started.outputSoFar) \(started.errorsSoFar)")
        }
    }

    /// What it heard, frame by frame.
    package var log: String { program.outputSoFar }
}

extension Requirement {
    package static let hasHTTP2 = hasOpenSSL && has("nghttpd")
}
