internal import Glibc

/// One connection of an origin; used by its own thread only.
final class OriginConnection {
    private let socket: Int32
    private let stopped: Int32
    private let number: Int
    private var buffer: [UInt8] = []

    /// POLLRDHUP, which Swift does not see: the other side has stopped sending.
    private static let hungUp: Int16 = 0x2000
    private static let longestHead = 64 << 10

    init(socket: Int32, stopped: Int32, number: Int) {
        self.socket = socket
        self.stopped = stopped
        self.number = number
    }

    deinit { close(socket) }

    // MARK: Reading

    /// The next request; nil once the other side has gone, or the server ends.
    func nextRequest() -> OriginRequest? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = buffer.firstRange(of: end) {
                let head = Array(buffer[..<range.lowerBound])
                buffer.removeFirst(range.upperBound)
                return request(head)
            }
            guard buffer.count < Self.longestHead, wait(forReading: true, seconds: nil) else { return nil }
            var piece = [UInt8](repeating: 0, count: 16 << 10)
            let count = recv(socket, &piece, piece.count, 0)
            if count <= 0 { return nil }
            buffer += piece[..<count]
        }
    }

    private func request(_ head: [UInt8]) -> OriginRequest? {
        let text = String(decoding: head, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                let value = parts[1].drop { $0 == " " }
                headers[parts[0].lowercased()] = String(value)
            }
        }
        return OriginRequest(
            method: String(words[0]),
            target: String(words[1]),
            headers: headers,
            text: text,
            at: RunningProgram.now(),
            connection: number
        )
    }

    /// Waits until the socket is ready; false where the server ends, and true when the time is up.
    private func wait(forReading reading: Bool, seconds: Double?) -> Bool {
        let deadline = seconds.map { RunningProgram.now() + $0 }
        while true {
            let rest = deadline.map { max(0, $0 - RunningProgram.now()) }
            var descriptors = [
                pollfd(fd: stopped, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: Int16(reading ? POLLIN : POLLOUT), revents: 0),
            ]
            let result = poll(&descriptors, 2, rest.map { Int32(($0 * 1000).rounded(.up)) } ?? -1)
            if result < 0 && errno == EINTR { continue }
            if descriptors[0].revents != 0 { return false }
            return true
        }
    }

    /// Does nothing for a while. False where the other side has gone meanwhile, or the server ends.
    private func pause(_ seconds: Double) -> Bool {
        let deadline = RunningProgram.now() + seconds
        while RunningProgram.now() < deadline {
            // Only hanging up is listened for: a request that comes early stays where it is.
            var descriptors = [
                pollfd(fd: stopped, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: Self.hungUp, revents: 0),
            ]
            let rest = min(max(0, deadline - RunningProgram.now()), 3600)
            let result = poll(&descriptors, 2, Int32((rest * 1000).rounded(.up)))
            if result > 0 { return false }
        }
        return true
    }

    // MARK: Writing

    /// Sends an answer; returns its status, and whether the connection lives on.
    func send(_ answer: OriginAnswer, isHead: Bool = false) -> (status: Int, goesOn: Bool) {
        switch answer {
        case .body(let bytes, let type):
            return send(.status(200, headers: ["Content-Type: \(type)"], body: bytes), isHead: isHead)
        case .status(let status, let headers, let body):
            var lines = ["HTTP/1.1 \(status) Answer"] + headers
            if !headers.contains(where: { $0.lowercased().hasPrefix("content-length") }) {
                lines.append("Content-Length: \(body.count)")
            }
            let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            return (status, write(isHead ? head : head + body))
        case .late(let seconds, let answer):
            return pause(seconds) ? send(answer, isHead: isHead) : (0, false)
        case .steps(let steps):
            for step in steps where !perform(step) { return (0, false) }
            return (0, true)
        }
    }

    /// False where the connection is over.
    private func perform(_ step: OriginStep) -> Bool {
        switch step {
        case .send(let bytes): return write(bytes)
        case .text(let text): return write(Array(text.utf8))
        case .sendForever(let bytes):
            while write(bytes) {}
            return false
        case .sendUntil(let bytes, let seconds, let isEnough):
            while !isEnough() { if !write(bytes) || !pause(seconds) { return false } }
            return true
        case .trickle(let bytes, let seconds):
            for byte in bytes where !write([byte]) || !pause(seconds) { return false }
            return true
        case .pause(let seconds): return pause(seconds)
        case .hang: return pause(.greatestFiniteMagnitude)
        case .reset:
            OriginSocket.reset(socket)
            return false
        case .close: return false
        }
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            guard wait(forReading: false, seconds: nil) else { return false }
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = bytes[done...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, flags) }
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }
}
