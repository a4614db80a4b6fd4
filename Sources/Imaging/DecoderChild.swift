internal import CLinux
internal import Glibc
internal import MediaModel

/// One child that decodes pictures, and the socket to it. Used by one thread at a time; `kill` may come from any.
final class DecoderChild: Sendable {
    let process: ProcessHandle
    private let socket: Int32

    init(program: BytePath, limits: ProcessingLimits) throws(ProcessingFault) {
        var ends: [Int32] = [-1, -1]
        let result = mds_socket_pair(&ends)
        if result < 0 {
            throw ProcessingFault(.unavailable, "cannot make a socket: \(String(cString: mds_errno_name(-result)))")
        }
        defer { _ = mds_close(ends[1]) }
        let command = [program] + DecodeWorker.arguments(limits).map { BytePath($0) }
        do throws(ProcessingFault) {
            process = try ProcessHandle(command, descriptors: [ends[1], nil, nil])
        } catch {
            _ = mds_close(ends[0])
            throw error
        }
        socket = ends[0]
    }

    deinit {
        _ = mds_close(socket)
    }

    /// Sends a request and waits for the answer.
    /// - Throws: `timedOut` or `crashed`; the child is gone then.
    func ask(_ order: DecodeRequest, within time: Duration) throws(ProcessingFault) -> ProcessedMedia {
        let message = order.encoded()
        let descriptors = [order.request.input] + order.request.outputs
        let sent = mds_send(socket, message, message.count, descriptors, Int32(descriptors.count))
        guard sent == message.count else { throw ended() }
        let deadline = ContinuousClock.now + time
        while true {
            let left = (deadline - ContinuousClock.now).milliseconds
            if left <= 0 {
                process.kill()
                _ = process.wait()
                throw ProcessingFault(.timedOut, "the picture was not decoded within \(time.components.seconds) s")
            }
            let ready = mds_wait_readable(socket, left)
            if ready < 0 { throw ended() }
            if ready > 0 { break }
        }
        var reply = [UInt8](repeating: 0, count: DecodeRequest.messageMax)
        // Descriptors are never taken from a child.
        var none: Int32 = 0
        let received = mds_receive(socket, &reply, reply.count, nil, &none)
        guard received > 0 else { throw ended() }
        return try DecodeReply.decode(Array(reply.prefix(received)), for: order.request)
    }

    /// The fault of a child that went away.
    private func ended() -> ProcessingFault {
        process.kill()
        switch ProcessEnd(status: process.wait()) {
        case .signaled(SIGXCPU): return ProcessingFault(.timedOut, "the picture took too much of the processor's time")
        case .signaled(let signal): return ProcessingFault(.crashed, "the decoder died of signal \(signal)")
        case .exited(DecodeWorker.cannotConfine):
            return ProcessingFault(.unavailable, "the decoder could not give up its rights")
        case .exited(let status): return ProcessingFault(.crashed, "the decoder ended with status \(status)")
        }
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
