internal import CLinux
internal import Glibc

/// The line to a process of this machine that has taken this one's standard input and output.
package struct HandoverCall {
    /// Why nobody took them.
    package struct Refusal: Error, Sendable, Equatable {
        package let reason: String
    }

    private static let patienceMilliseconds: Int64 = 5000

    private let line: Int32

    /// Hands two descriptors over. What was read from the first and not said is lost.
    /// - Parameters:
    ///   - name: whom to call.
    ///   - user: whose the other process must be: it is told before anything else is said.
    package init(
        to name: [UInt8],
        user: UInt32 = geteuid(),
        saying message: [UInt8],
        input: Int32,
        output: Int32
    ) throws(Refusal) {
        let line = name.withUnsafeBytes { mds_connect_here($0.baseAddress, $0.count, Self.patienceMilliseconds) }
        if line < 0 { throw Refusal(reason: "no such run is at work here") }
        do throws(Refusal) {
            var owner: UInt32 = .max
            guard mds_peer_user(line, &owner) == 0, owner == user else {
                throw Refusal(reason: "the run is another user's")
            }
            guard mds_send(line, message, message.count, [input, output], 2) == message.count else {
                throw Refusal(reason: "the run does not listen")
            }
            try Self.hear(line)
        } catch {
            _ = mds_close(line)
            throw error
        }
        self.line = line
    }

    private static func hear(_ line: Int32) throws(Refusal) {
        var answer = [UInt8](repeating: 0, count: Handover.messageMax)
        var none: Int32 = 0
        guard mds_wait_readable(line, patienceMilliseconds) > 0,
            case let count = mds_receive(line, &answer, answer.count, nil, &none), count > 0
        else { throw Refusal(reason: "the run does not answer") }
        if answer[0] != 1 { throw Refusal(reason: String(decoding: answer[1..<count], as: UTF8.self)) }
    }

    /// Waits until the other process needs the descriptors no more, or is gone.
    package func waitForEnd() {
        _ = mds_wait_closed(line)
    }

    /// Hangs up.
    package func close() {
        _ = mds_close(line)
    }
}
