internal import CLinux
internal import Glibc

/// A socket by which processes of the same user hand their standard input and output to this one. It has its name in
/// memory alone, so nothing of it is left over whatever becomes of the process; anybody may call it, and who called is
/// known from the kernel.
package final class HandoverListener: Sendable {
    /// How long a caller may take to say something.
    private static let patienceMilliseconds: Int64 = 2000

    private let socket: Int32
    private let user: UInt32

    /// - Parameters:
    ///   - name: what callers find it by; anybody on the machine can read it.
    ///   - user: whose callers are heard.
    /// - Returns: nil where there is no such socket, or the name is taken.
    package init?(name: [UInt8], user: UInt32 = geteuid()) {
        socket = name.withUnsafeBytes { mds_listen_here($0.baseAddress, $0.count) }
        self.user = user
        if socket < 0 { return nil }
    }

    deinit {
        _ = mds_close(socket)
    }

    /// Waits a while for a caller, and for what it says; nil where there is none, or one that is not heard. Several threads
    /// may wait.
    package func next(within milliseconds: Int64) -> Handover? {
        guard mds_wait_readable(socket, milliseconds) > 0 else { return nil }
        let line = mds_accept(socket)
        if line < 0 { return nil }
        var caller: UInt32 = .max
        // Nobody else gets a word in.
        if mds_peer_user(line, &caller) == 0, caller == user,
            mds_wait_readable(line, Self.patienceMilliseconds) > 0,
            let handover = Handover(receivedOn: line)
        {
            return handover
        }
        _ = mds_close(line)
        return nil
    }

    /// Nobody is waited for any more; whoever waits is woken.
    package func stop() {
        _ = mds_shut(socket)
    }
}

/// What a caller said and handed over: two descriptors, and the line to the caller, which ends when it is closed.
package final class Handover: Sendable {
    /// Bytes that a caller may say.
    package static let messageMax = 8192

    package let message: [UInt8]
    /// What is read from, and written to; open as long as this value is there.
    package let input: Int32
    package let output: Int32
    private let line: Int32

    fileprivate init?(receivedOn line: Int32) {
        var message = [UInt8](repeating: 0, count: Self.messageMax)
        var descriptors: [Int32] = [-1, -1]
        var count = Int32(descriptors.count)
        let received = mds_receive(line, &message, message.count, &descriptors, &count)
        guard received > 0, count == 2 else {
            if received >= 0 { descriptors.prefix(Int(count)).forEach { _ = mds_close($0) } }
            return nil
        }
        self.message = Array(message.prefix(received))
        input = descriptors[0]
        output = descriptors[1]
        self.line = line
    }

    deinit {
        for descriptor in [input, output, line] { _ = mds_close(descriptor) }
    }

    /// Tells the caller whether it is taken, and why not.
    package func answer(refusal: String? = nil) {
        let text = Array((refusal ?? "").utf8.prefix(Self.messageMax - 1))
        _ = mds_send(line, [refusal == nil ? 1 : 0] + text, text.count + 1, nil, 0)
    }
}
