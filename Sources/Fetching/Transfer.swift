internal import Pacing

/// One fetch under way, from its start through its redirects to its end. It belongs to the loop thread.
final class Transfer {
    /// Why a callback, or a deadline, ended it before libcurl did.
    enum Cut {
        case fault(FetchFault)
        /// The rest of a body that nobody wants: the head says it all.
        case enough
    }

    let number: UInt64
    let request: FetchRequest
    let completion: FetchInbox.Completion
    var url: FetchURL
    /// Every address asked for so far.
    private(set) var visited: [String]
    let startedAt: Int64

    // The present hop.
    var head = AnswerHead()
    var hopAt: Int64
    /// When the connection stood and the request could be sent; 0 before.
    var sentAt: Int64 = 0
    var firstByteAt: Int64 = 0
    var received: Int64 = 0
    /// Bytes of bodies that nobody wants: of redirects and errors.
    var discarded = 0
    var body: [UInt8] = []
    var cut: Cut?
    /// What the address guard refused.
    var refusedAddress: IPAddress?
    var hadPermittedAddress = false
    /// Since when the bandwidth limit holds it up; 0 where it does not.
    var pausedAt: Int64 = 0
    // The silence that is being watched.
    private var windowAt: Int64 = 0
    private var windowBytes: Int64 = 0
    // What had come when it was last looked at whether the transfer goes on by itself.
    private var stirredAt: Int64 = 0
    private var stirredBytes: Int64 = 0

    /// How long a body over HTTP/2 may stand still before libcurl is asked to look at it again.
    private static let stirNanoseconds: Int64 = 500_000_000

    init(
        number: UInt64,
        request: FetchRequest,
        completion: @escaping FetchInbox.Completion,
        url: FetchURL,
        now: Int64
    ) {
        self.number = number
        self.request = request
        self.completion = completion
        self.url = url
        visited = request.trail + [url.text]
        startedAt = now
        hopAt = now
    }

    /// Redirects followed so far, those that led to this fetch among them.
    var redirects: Int { visited.count - 1 }
    /// Requests of this fetch.
    var requests: Int { visited.count - request.trail.count }

    func begin(_ next: FetchURL, now: Int64) {
        url = next
        visited.append(next.text)
        head = AnswerHead()
        hopAt = now
        (sentAt, firstByteAt, received, discarded, windowAt, windowBytes, pausedAt) = (0, 0, 0, 0, 0, 0, 0)
        (stirredAt, stirredBytes) = (0, 0)
        (cut, refusedAddress, hadPermittedAddress) = (nil, nil, false)
        body = []
    }

    /// The time that it was held up here counts for no deadline.
    func resume(now: Int64) {
        sentAt += now - pausedAt
        windowAt = now
        pausedAt = 0
    }

    /// The deadline that has passed, if one has.
    func overdue(_ deadlines: FetchDeadlines, now: Int64) -> FetchFault? {
        if pausedAt > 0 { return nil }
        if sentAt == 0 {
            // libcurl's own limit comes first; this one is for whatever it does not count.
            let limit = deadlines.connect + .seconds(1)
            return isPast(limit, since: hopAt, now) ? Self.late("no connection", deadlines.connect) : nil
        }
        if isPast(deadlines.total, since: sentAt, now) {
            return Self.late("the answer was not complete", deadlines.total)
        }
        if firstByteAt == 0 {
            return isPast(deadlines.firstByte, since: sentAt, now) ? Self.late("no answer", deadlines.firstByte) : nil
        }
        if windowAt == 0 { windowAt = firstByteAt }
        guard isPast(deadlines.silence, since: windowAt, now) else { return nil }
        let bytes = allBytes
        let isSilent = bytes - windowBytes < deadlines.minimumBytes
        windowAt = now
        windowBytes = bytes
        return isSilent ? Self.late("the server fell silent", deadlines.silence) : nil
    }

    private var allBytes: Int64 { received + Int64(discarded + head.byteCount) }

    /// Whether an answer over HTTP/2 has stood still for a while, so that its bytes may lie in libcurl.
    func needsStir(now: Int64) -> Bool {
        guard head.version == 20, firstByteAt > 0, pausedAt == 0 else { return false }
        guard stirredAt > 0, allBytes == stirredBytes else {
            (stirredAt, stirredBytes) = (now, allBytes)
            return false
        }
        guard now - stirredAt >= Self.stirNanoseconds else { return false }
        stirredAt = now
        return true
    }

    private func isPast(_ limit: Duration, since start: Int64, _ now: Int64) -> Bool {
        Double(now - start) > limit.nanoseconds
    }

    private static func late(_ what: String, _ limit: Duration) -> FetchFault {
        FetchFault(.timeout, "\(what) within \(limit.formattedSeconds)")
    }
}

extension Duration {
    /// `10 s`, `0.5 s`.
    fileprivate var formattedSeconds: String {
        let tenths = Int((nanoseconds / 1e8).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
