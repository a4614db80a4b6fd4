internal import CLinux
internal import Glibc
internal import MediaModel

/// What runs in a child: it gives up its rights, then decodes what it is sent until its parent goes away.
package enum DecodeWorker {
    /// The exit status of a child that could not give up what it must.
    static let cannotConfine: Int32 = 70
    /// The name of the hidden command that calls `run`.
    package static let command = "decode-worker"
    /// The socket's number in the child.
    private static let socket: Int32 = 0
    /// Files are the input and the outputs; the libraries read a few of their own.
    private static let descriptorMax: Int64 = 64
    /// No variant is larger.
    private static let fileBytesMax: Int64 = 256 << 20

    static func arguments(_ limits: ProcessingLimits) -> [String] {
        [command, "\(limits.decoderBytes)", "\(max(1, limits.pictureTime.components.seconds))"]
    }

    /// - Parameters:
    ///   - addressBytes: the most memory that it may address.
    ///   - cpuSeconds: what one picture may take of a processor.
    package static func run(addressBytes: Int64, cpuSeconds: Int64) -> Int32 {
        Confinement.yieldProcessor()
        guard confine(addressBytes) else { return cannotConfine }
        watchParent()
        let images = LocalImages()
        var message = [UInt8](repeating: 0, count: DecodeRequest.messageMax)
        while true {
            var descriptors = [Int32](repeating: -1, count: ProcessingRequest.outputMax + 1)
            var count = Int32(descriptors.count)
            let received = mds_receive(socket, &message, message.count, &descriptors, &count)
            if received <= 0 { return 0 }
            let open = Array(descriptors.prefix(Int(count)))
            defer { open.forEach { _ = mds_close($0) } }
            _ = mds_limit_cpu_from_now(cpuSeconds)
            guard let order = try? DecodeRequest(Array(message.prefix(received)), descriptors: open) else { return 1 }
            let result: Result<ProcessedMedia, ProcessingFault>
            do throws(ProcessingFault) {
                #if DEBUG
                    try DecodeWorkerFault.play(order.task)
                #endif
                result = .success(try images.run(order.task, order.request))
            } catch { result = .failure(error) }
            let reply = DecodeReply.encode(result)
            if mds_send(socket, reply, reply.count, nil, 0) != reply.count { return 1 }
        }
    }

    /// Gives up everything but what decoding needs.
    private static func confine(_ addressBytes: Int64) -> Bool {
        guard mds_limit_self(addressBytes, 0, fileBytesMax, descriptorMax) == 0, mds_no_new_privileges() == 0 else {
            return false
        }
        return Confinement.leaveNetworkAndFiles(readable: [], writable: []) && Confinement.denyCalls(isStrict: true)
    }

    /// A child whose parent is gone ends at once, in the middle of a picture too.
    private static func watchParent() {
        var thread = pthread_t()
        let started = pthread_create(
            &thread,
            nil,
            { _ in
                _ = mds_wait_closed(DecodeWorker.socket)
                _exit(0)
            },
            nil
        )
        if started == 0 { pthread_detach(thread) }
    }
}
