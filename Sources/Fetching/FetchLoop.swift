internal import CCurl
internal import Glibc
internal import Pacing

/// The loop thread's own: libcurl's multi handle, the slots, the transfers. Nothing of it is touched by another thread.
final class FetchLoop {
    let options: FetchOptions
    let addressGuard: AddressGuard
    private let inbox: FetchInbox
    private let multi: UnsafeMutableRawPointer
    private var active: [UInt64: FetchSlot] = [:]
    private var idle: [FetchSlot] = []
    private var waiting = WaitingTransfers()
    private var isStopping = false
    /// Sockets closed so far; libcurl says so.
    var socketsClosed = 0
    // The limit on bytes a second.
    private var bucket: TokenBucket?
    private var openAt = Int64.min
    private var paused: [UInt64] = []

    /// How often deadlines are looked at while something is under way.
    private static let tickNanoseconds: Int64 = 100_000_000

    init(_ options: FetchOptions, _ inbox: FetchInbox) {
        self.options = options
        self.inbox = inbox
        multi = inbox.multi
        addressGuard = AddressGuard(allowing: options.allowedPrivateAddresses)
        bucket = options.bytesPerSecond.map { TokenBucket(rate: Double(max(1, $0)), now: Monotonic.now) }
    }

    /// Runs until it is told to stop; then nothing is left.
    func run() {
        Self.blockPipeSignal()
        var tick = Monotonic.now
        var running: Int32 = 0
        while true {
            for message in inbox.take() { hear(message) }
            if isStopping {
                stopAll()
                if inbox.end() { break }
                continue
            }
            fill()
            curl_multi_perform(multi, &running)
            readMessages()
            let now = Monotonic.now
            if now - tick >= Self.tickNanoseconds {
                tick = now
                endOverdue(now: now)
            }
            resumePaused(now: now)
            fill()
            let result = curl_multi_poll(multi, nil, 0, Int32(milliseconds(tick: tick, now: now)), nil)
            // Out of memory, or of descriptors: not as fast as the processor can.
            if result != CURLM_OK { poll(nil, 0, 10) }
        }
        idle = []
        curl_multi_cleanup(multi)
    }

    /// OpenSSL writes to sockets that the other side has closed; the signal would end the process. The thread is our own.
    private static func blockPipeSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// How long to sleep unless something happens.
    private func milliseconds(tick: Int64, now: Int64) -> Int64 {
        if active.isEmpty { return 60_000 }
        var until = tick + Self.tickNanoseconds
        if !paused.isEmpty { until = min(until, openAt) }
        return max(0, (until - now + 999_999) / 1_000_000)
    }

    // MARK: Starting

    private func hear(_ message: FetchInbox.Message) {
        switch message {
        case .start(let number, let request, let completion):
            waiting.add(.init(number: number, request: request, completion: completion))
        case .cancel(let number):
            let fault = FetchFault(.cancelled, "the fetch was cancelled")
            if let slot = active[number] {
                end(slot, .failure(fault))
            } else if let transfer = waiting.remove(number) {
                transfer.completion(.failure(fault))
            }
        case .stop: isStopping = true
        }
    }

    private func fill() {
        while active.count < options.inFlight, let next = waiting.removeFirst() { start(next) }
    }

    private func start(_ next: WaitingTransfers.Entry) {
        do throws(FetchFault) {
            let url = try FetchURL(next.request.url)
            try judge(url)
            guard let slot = idle.popLast() ?? FetchSlot(self) else {
                throw FetchFault(.connect, "libcurl gives no handle")
            }
            let transfer = Transfer(
                number: next.number,
                request: next.request,
                completion: next.completion,
                url: url,
                now: Monotonic.now
            )
            active[next.number] = slot
            begin(slot, transfer)
        } catch {
            next.completion(.failure(error))
        }
    }

    /// Sends a transfer's present hop on its way.
    private func begin(_ slot: FetchSlot, _ transfer: Transfer) {
        guard slot.prepare(transfer), curl_multi_add_handle(multi, slot.easy.raw) == CURLM_OK else {
            end(slot, .failure(FetchFault(.badURL, "libcurl does not take the request")))
            return
        }
    }

    /// What can be said of an address before anything is connected.
    private func judge(_ url: FetchURL) throws(FetchFault) {
        if url.isHidden && !options.allowsHiddenServices {
            throw FetchFault(.hiddenService, "hidden services are not allowed (ALLOW_ACCESS_TO_HIDDEN_SERVICE)")
        }
        if let address = url.address, options.connectTo == nil, !addressGuard.permits(address) {
            throw CurlFault.refused(address)
        }
    }

    func proxy(for url: FetchURL) -> String {
        (url.isHidden ? options.hiddenProxy ?? options.proxy : options.proxy) ?? ""
    }

    // MARK: Ending

    private func readMessages() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let code = mds_message_result(message)
            var raw: UnsafeMutablePointer<CChar>?
            mds_info_pointer(message.pointee.easy_handle, CURLINFO_PRIVATE, &raw)
            guard let raw else { continue }
            finish(Unmanaged<FetchSlot>.fromOpaque(UnsafeRawPointer(raw)).takeUnretainedValue(), code)
        }
        socketsClosed = 0
    }

    /// libcurl is through with a hop.
    private func finish(_ slot: FetchSlot, _ code: CURLcode) {
        guard let transfer = slot.transfer else { return }
        let isLeftOpen = isConnectionKept(slot, transfer)
        curl_multi_remove_handle(multi, slot.easy.raw)
        do throws(FetchFault) {
            if case .fault(let fault) = transfer.cut { throw fault }
            if transfer.cut == nil, code != CURLE_OK { throw CurlFault.fault(code, slot.errorMessage, transfer) }
            let head = transfer.head
            guard head.isComplete else { throw FetchFault(.protocolError, "the answer has no head") }
            if head.isRedirect {
                try follow(slot, transfer)
                return
            }
            guard head.isSuccess else { throw CurlFault.status(head) }
            // libcurl drops bytes behind the announced length and closes the connection: all that is seen of them.
            if !isLeftOpen { throw FetchFault(.protocolError, "the answer is longer than the length it names") }
            settle(slot, .success(try answer(transfer)))
        } catch {
            settle(slot, .failure(error))
        }
    }

    /// Whether a connection that should live on does. It is looked for only where some connection was closed, because libcurl
    /// looks through all of them.
    private func isConnectionKept(_ slot: FetchSlot, _ transfer: Transfer) -> Bool {
        let head = transfer.head
        guard socketsClosed > 0, head.contentLength != nil, head.version == 11, !head.closes, slot.isDirect else {
            return true
        }
        var socket: curl_socket_t = -1
        mds_info_socket(slot.easy.raw, CURLINFO_ACTIVESOCKET, &socket)
        return socket >= 0
    }

    private func follow(_ slot: FetchSlot, _ transfer: Transfer) throws(FetchFault) {
        guard transfer.redirects < options.redirects else {
            throw FetchFault(.tooManyRedirects, "more than \(options.redirects) redirects")
        }
        guard let location = transfer.head.location, !location.isEmpty else {
            throw FetchFault(.badRedirect, "the answer redirects to nowhere")
        }
        let next: FetchURL
        do throws(FetchFault) {
            next = try FetchURL(bytes: location, base: transfer.url)
        } catch {
            throw FetchFault(.badRedirect, "the answer redirects to no address that can be fetched: \(error.message)")
        }
        try judge(next)
        if transfer.url.isSecure && !next.isSecure && !options.allowsDowngrade {
            throw FetchFault(.badRedirect, "the answer redirects from https to http")
        }
        if transfer.visited.contains(next.text) { throw FetchFault(.badRedirect, "the redirects go in a circle") }
        if next.host != transfer.url.host, !transfer.request.followsToOtherHosts {
            let redirect = FetchRedirect(
                url: next.text,
                trail: transfer.visited,
                nanoseconds: Monotonic.now - transfer.startedAt
            )
            throw FetchFault(.redirected, "the answer leads to another host", redirect: redirect)
        }
        transfer.begin(next, now: Monotonic.now)
        begin(slot, transfer)
    }

    private func answer(_ transfer: Transfer) throws(FetchFault) -> FetchAnswer {
        let now = Monotonic.now
        if case .file(let descriptor) = transfer.request.body, ftruncate(descriptor, off_t(transfer.received)) != 0 {
            throw FetchSlot.writeFault(errno)
        }
        return FetchAnswer(
            status: transfer.head.status,
            finalURL: transfer.url.text,
            byteCount: transfer.received,
            contentType: transfer.head.contentType.map { String(decoding: $0, as: UTF8.self) },
            dispositionName: transfer.head.dispositionName,
            body: transfer.body,
            redirects: transfer.redirects,
            requests: transfer.requests,
            firstByteNanoseconds: max(0, transfer.firstByteAt - transfer.startedAt),
            totalNanoseconds: now - transfer.startedAt
        )
    }

    /// Ends a transfer that libcurl still works on.
    private func end(_ slot: FetchSlot, _ result: Result<FetchAnswer, FetchFault>) {
        curl_multi_remove_handle(multi, slot.easy.raw)
        settle(slot, result)
    }

    private func settle(_ slot: FetchSlot, _ result: Result<FetchAnswer, FetchFault>) {
        guard let transfer = slot.transfer else { return }
        slot.transfer = nil
        active[transfer.number] = nil
        idle.append(slot)
        let requests = transfer.requests
        transfer.completion(
            result.mapError { fault in
                var fault = fault
                fault.requests = requests
                return fault
            }
        )
    }

    private func endOverdue(now: Int64) {
        for slot in active.values {
            guard let transfer = slot.transfer else { continue }
            if let fault = transfer.overdue(options.deadlines, now: now) {
                end(slot, .failure(fault))
            } else if transfer.needsStir(now: now) {
                stir(slot)
            }
        }
    }

    /// Has libcurl look at a transfer again. Up to 7.88 at least, a stream whose buffer was full while other streams of the
    /// connection ended keeps what has come for it, and no socket tells that there is more: it stood still until its deadline.
    /// Letting go of a pause makes libcurl look.
    private func stir(_ slot: FetchSlot) {
        curl_easy_pause(slot.easy.raw, CURLPAUSE_RECV)
        curl_easy_pause(slot.easy.raw, CURLPAUSE_CONT)
    }

    private func stopAll() {
        let fault = FetchFault(.cancelled, "the fetches were shut down")
        for slot in active.values { end(slot, .failure(fault)) }
        while let next = waiting.removeFirst() { next.completion(.failure(fault)) }
    }

    // MARK: Bandwidth

    /// Whether so many bytes may be taken now. If not, the transfer is held up until the limit allows the next ones.
    func mayReceive(_ count: Int, for slot: FetchSlot) -> Bool {
        guard bucket != nil, let transfer = slot.transfer else { return true }
        let now = Monotonic.now
        if now < openAt {
            if transfer.pausedAt == 0 { transfer.pausedAt = now }
            paused.append(transfer.number)
            return false
        }
        openAt = now + (bucket?.take(Double(count), now: now) ?? 0)
        return true
    }

    /// Lets those go on that were held up, the first one first, as far as the limit allows.
    private func resumePaused(now: Int64) {
        guard !paused.isEmpty, now >= openAt else { return }
        let all = paused
        paused = []
        for (index, number) in all.enumerated() {
            guard now >= openAt else {
                paused = Array(all[index...]) + paused
                return
            }
            guard let slot = active[number], let transfer = slot.transfer else { continue }
            transfer.resume(now: now)
            curl_easy_pause(slot.easy.raw, CURLPAUSE_CONT)
        }
    }
}
