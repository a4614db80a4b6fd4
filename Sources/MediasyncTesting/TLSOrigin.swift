internal import Glibc
package import MediaModel

/// Certificates of an authority of the test's own, made by the `openssl` program.
package final class TestAuthority: Sendable {
    private let directory: TemporaryDirectory
    /// The authority's certificate: what clients trust.
    package var certificate: BytePath { directory.path / "ca.pem" }

    /// How a server's certificate is wrong.
    package enum Flaw: String, Sendable, CaseIterable {
        case none
        case expired
        case selfSigned
    }

    private static let newKey = [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    ]

    package init() throws {
        directory = try TemporaryDirectory()
        try openssl(
            ["req", "-x509"] + Self.newKey
                + ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority of a test", "-days", "3"]
        )
    }

    /// Makes a key and a certificate for a host: `NAME.key`, `NAME.pem`.
    func make(_ name: String, host: String, flaw: Flaw) throws -> (key: BytePath, certificate: BytePath) {
        let subject = ["-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)"]
        let key = ["-keyout", "\(name).key"]
        if flaw == .selfSigned {
            try openssl(["req", "-x509"] + Self.newKey + key + ["-out", "\(name).pem", "-days", "3"] + subject)
        } else {
            try openssl(["req"] + Self.newKey + key + ["-out", "\(name).csr"] + subject)
            try openssl(
                ["x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
                    + ["-copy_extensions", "copy", "-out", "\(name).pem", "-days", flaw == .expired ? "-1" : "3"]
            )
        }
        return (directory.path / "\(name).key", directory.path / "\(name).pem")
    }

    private func openssl(_ arguments: [String]) throws {
        var program = Program("openssl")
        program.directory = directory.path
        try program.check(arguments)
    }
}

/// A server with TLS: `openssl s_server`, one request after the other, whose answers are files with head and body.
package final class TLSOrigin {
    private let directory: TemporaryDirectory
    private let program: RunningProgram
    package let port: Int
    package var place: String { "127.0.0.1:\(port)" }

    /// - Parameter answers: by path, without the slash: whole answers with their heads.
    package init(
        _ authority: TestAuthority,
        host: String,
        flaw: TestAuthority.Flaw = .none,
        answers: [String: String]
    ) throws {
        directory = try TemporaryDirectory()
        let made = try authority.make("server-\(flaw)", host: host, flaw: flaw)
        for (name, text) in answers { try Disk.write(directory.path / name, text) }
        var server = Program("openssl")
        server.directory = directory.path
        let options = ["s_server", "-accept", "127.0.0.1:0", "-HTTP", "-cert"].map { BytePath($0) }
        let started = try server.start(options + [made.certificate, BytePath("-key"), made.key])
        program = started
        let isReady = RunningProgram.eventually { started.outputSoFar.contains("\nACCEPT 127.0.0.1:") }
        let line = started.outputSoFar.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") }
        guard isReady, let line, let number = line.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw TestFault("openssl s_server did not start: \(started.errorsSoFar)")
        }
        port = number
    }
}

extension Requirement {
    package static let hasOpenSSL = has("openssl")
}
