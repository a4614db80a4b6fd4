/// The ways in which a stranger's server fails. Each has a name, which is its path: `/slow-head`.
package enum OriginBehaviour: String, Sendable, CaseIterable {
    // Time.
    case slowHead = "slow-head"
    case slowBody = "slow-body"
    case hang
    case stall
    // Size.
    case infinite
    case infiniteChunks = "infinite-chunks"
    case infiniteHead = "infinite-head"
    case infiniteInterim = "infinite-interim"
    case hugeLength = "huge-length"
    case overflowLength = "overflow-length"
    // Lengths.
    case short
    case long
    case twoLengths = "two-lengths"
    case negativeLength = "negative-length"
    case lengthAndChunks = "length-and-chunks"
    case chunkCut = "chunk-cut"
    case chunkBad = "chunk-bad"
    case dropMid = "drop-mid"
    case resetMid = "reset-mid"
    case resetAtOnce = "reset-at-once"
    case closeAtOnce = "close-at-once"
    // Forms.
    case gzip
    case gzipTransfer = "gzip-transfer"
    case notHTTP = "not-http"
    case badStatus = "bad-status"
    // Redirects.
    case loop
    case chain
    case nowhere
    case redirectBad = "redirect-bad"
    case redirectScheme = "redirect-scheme"
    case redirectCredentials = "redirect-credentials"
    case redirectPrivate = "redirect-private"
    case redirectTwo = "redirect-two"
    case endlessError = "endless-error"

    package static func named(_ path: String) -> OriginBehaviour? {
        OriginBehaviour(rawValue: String(path.dropFirst()).split(separator: "/").first.map(String.init) ?? "")
    }

    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
    private static let kilobyte = [UInt8](repeating: 0x41, count: 1024)

    package func answer(to request: OriginRequest) -> OriginAnswer {
        switch self {
        case .slowHead:
            .steps([.trickle(Array((Self.head + "Content-Length: 10\r\n\r\n").utf8), everySeconds: 0.05), .hang])
        case .slowBody:
            .steps([
                .text(Self.head + "Content-Length: 100000\r\n\r\n"), .trickle(Self.kilobyte, everySeconds: 0.05), .hang,
            ])
        case .hang: .steps([.hang])
        case .stall: .steps([.text(Self.head + "Content-Length: 100000\r\n\r\n"), .send(Self.kilobyte), .hang])
        case .infinite: .steps([.text(Self.head + "\r\n"), .sendForever(Self.kilobyte)])
        case .infiniteChunks:
            .steps([
                .text(Self.head + "Transfer-Encoding: chunked\r\n\r\n"),
                .sendForever(Array("400\r\n".utf8) + Self.kilobyte + Array("\r\n".utf8)),
            ])
        case .infiniteHead: .steps([.text(Self.head), .sendForever(Array("X-More: and more\r\n".utf8))])
        case .infiniteInterim: .steps([.sendForever(Array("HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n".utf8))])
        case .hugeLength:
            .steps([.text(Self.head + "Content-Length: 999999999999\r\n\r\n"), .sendForever(Self.kilobyte)])
        case .overflowLength:
            .steps([
                .text(Self.head + "Content-Length: 99999999999999999999999\r\n\r\n"), .sendForever(Self.kilobyte),
            ])
        case .short: .steps([.text(Self.head + "Content-Length: 5000\r\n\r\n"), .send(Self.kilobyte), .close])
        case .long:
            .steps([.send(Array((Self.head + "Content-Length: 1000\r\n\r\n").utf8) + Self.kilobyte + Self.kilobyte)])
        case .twoLengths:
            .steps([
                .text(Self.head + "Content-Length: 1000\r\nContent-Length: 1024\r\n\r\n"), .send(Self.kilobyte), .hang,
            ])
        case .negativeLength: .steps([.text(Self.head + "Content-Length: -5\r\n\r\n"), .send(Self.kilobyte), .close])
        case .lengthAndChunks:
            .steps([
                .text(Self.head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"),
                .hang,
            ])
        case .chunkCut:
            .steps([.text(Self.head + "Transfer-Encoding: chunked\r\n\r\n400\r\n"), .send(Self.kilobyte), .close])
        case .chunkBad: .steps([.text(Self.head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"), .close])
        case .dropMid: .steps([.text(Self.head + "Content-Length: 100000\r\n\r\n"), .send(Self.kilobyte), .close])
        case .resetMid:
            .steps([
                .text(Self.head + "Content-Length: 100000\r\n\r\n"), .send(Self.kilobyte), .pause(seconds: 0.05),
                .reset,
            ])
        case .resetAtOnce: .steps([.reset])
        case .closeAtOnce: .steps([.close])
        case .gzip: .status(200, headers: ["Content-Encoding: gzip"], body: Self.kilobyte)
        case .gzipTransfer:
            .steps([.text(Self.head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), .close])
        case .notHTTP: .steps([.text("SSH-2.0-OpenSSH_9.2\r\n"), .close])
        case .badStatus: .steps([.text("HTTP/1.1 2x0 OK\r\n\r\n"), .close])
        case .loop: .status(302, headers: ["Location: /loop/again"])
        case .chain: .status(302, headers: ["Location: \(request.path)/on"])
        case .nowhere: .status(302)
        case .redirectBad: .status(302, headers: ["Location: http://[::zz]/"])
        case .redirectScheme: .status(302, headers: ["Location: file:///etc/passwd"])
        case .redirectCredentials: .status(302, headers: ["Location: http://user:secret@127.0.0.1/"])
        case .redirectPrivate: .status(302, headers: ["Location: http://10.0.0.1/"])
        case .redirectTwo: .status(302, headers: ["Location: /a", "Location: /b"])
        case .endlessError: .steps([.text("HTTP/1.1 404 Not Found\r\n\r\n"), .sendForever(Self.kilobyte)])
        }
    }
}
