#if DEBUG
    internal import CLinux
    internal import Glibc

    /// Does in a child, on request, what damage may do to it. Not part of a release build.
    enum DecodeWorkerFault {
        static func play(_ task: ImageTask) throws(ProcessingFault) {
            switch task {
            case .crash: abort()
            case .hang: while true { mds_sleep_ns(1_000_000_000) }
            case .exhaust: try exhaust()
            case .lie:
                let nonsense = [UInt8](repeating: 0xFF, count: 100)
                _ = mds_send(0, nonsense, nonsense.count, nil, 0)
            case .write: throw found("open", open("/tmp/mediasync-must-not-be", O_WRONLY | O_CREAT, 0o600))
            case .connect: throw found("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            default: break
            }
        }

        /// Takes memory until there is none.
        private static func exhaust() throws(ProcessingFault) {
            for _ in 0..<100_000 where malloc(1 << 26) == nil { throw .noMemory("a test") }
        }

        /// What a call gave, which must be refused.
        private static func found(_ call: String, _ result: Int32) -> ProcessingFault {
            ProcessingFault(.undecodable, "\(call): \(result < 0 ? String(cString: strerror(errno)) : "allowed")")
        }
    }
#endif
