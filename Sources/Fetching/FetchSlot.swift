internal import CCurl
internal import Glibc
internal import MediaModel

/// A transfer handle and what libcurl calls back about it. Handles are used again and again; the object is what libcurl holds a
/// pointer to. It belongs to the loop thread.
final class FetchSlot {
    var easy: EasyHandle
    var transfer: Transfer?
    private unowned let loop: FetchLoop
    private let errorText = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let connectTo: UnsafeMutablePointer<curl_slist>?
    /// What the connection goes through; empty for none.
    private var proxy = ""

    /// The most of a body that nobody wants which is read, to keep its connection.
    private static let mostDiscarded = 16 * 1024

    init?(_ loop: FetchLoop) {
        guard let easy = EasyHandle() else { return nil }
        self.easy = easy
        self.loop = loop
        errorText.initialize(repeating: 0)
        connectTo = loop.options.connectTo.flatMap { target in "::\(target)".withCString { curl_slist_append(nil, $0) }
        }
        configure(loop.options)
        if self.easy.refused > 0 { return nil }
    }

    deinit {
        curl_slist_free_all(headers)
        curl_slist_free_all(connectTo)
        errorText.deallocate()
    }

    /// What libcurl says about the last error.
    var errorMessage: String { errorText.baseAddress.map { String(cString: $0) } ?? "" }

    private var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    private static func slot(_ raw: UnsafeMutableRawPointer?) -> FetchSlot? {
        raw.map { Unmanaged<FetchSlot>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Options

    private func configure(_ options: FetchOptions) {
        easy.set(CURLOPT_NOSIGNAL, 1)
        easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        easy.set(CURLOPT_FOLLOWLOCATION, 0)
        easy.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        easy.set(CURLOPT_HTTP09_ALLOWED, 0)
        easy.set(CURLOPT_USERAGENT, options.userAgent)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(options.deadlines.connect / .milliseconds(1))))
        easy.set(CURLOPT_SSL_VERIFYPEER, 1)
        easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = options.certificateFile { easy.set(CURLOPT_CAINFO, file) }
        // The environment's proxies are for others; ours are set for each hop.
        easy.set(CURLOPT_PROXY, "")
        easy.set(CURLOPT_NOPROXY, "")
        easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // A name server that does not answer must hold up nobody else when its lookup is given up.
        easy.set(CURLOPT_QUICK_EXIT, 1)
        easy.set(CURLOPT_BUFFERSIZE, 32 * 1024)
        if connectTo != nil { easy.set(CURLOPT_CONNECT_TO, list: connectTo) }
        easy.set(CURLOPT_ERRORBUFFER, pointer: UnsafeMutableRawPointer(errorText.baseAddress))
        easy.set(CURLOPT_PRIVATE, pointer: pointer)
        setCallbacks()
    }

    private func setCallbacks() {
        let raw = easy.raw
        easy.set(CURLOPT_WRITEDATA, pointer: pointer)
        easy.check(
            mds_easy_data(raw, CURLOPT_WRITEFUNCTION) { bytes, size, count, data in
                guard let slot = FetchSlot.slot(data), let bytes else { return 0 }
                return slot.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
            }
        )
        easy.set(CURLOPT_HEADERDATA, pointer: pointer)
        easy.check(
            mds_easy_data(raw, CURLOPT_HEADERFUNCTION) { bytes, size, count, data in
                guard let slot = FetchSlot.slot(data), let bytes else { return 0 }
                return slot.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            }
        )
        easy.set(CURLOPT_OPENSOCKETDATA, pointer: pointer)
        easy.check(
            mds_easy_open_socket(raw) { data, _, address in
                guard let slot = FetchSlot.slot(data), let address else { return -1 }
                return slot.openSocket(address)
            }
        )
        // This one is called when the slot may be working for another transfer: it is told the loop.
        easy.set(CURLOPT_CLOSESOCKETDATA, pointer: Unmanaged.passUnretained(loop).toOpaque())
        easy.check(
            mds_easy_close_socket(raw) { data, socket in
                if let data { Unmanaged<FetchLoop>.fromOpaque(data).takeUnretainedValue().socketsClosed += 1 }
                return close(socket)
            }
        )
        easy.set(CURLOPT_PREREQDATA, pointer: pointer)
        easy.check(
            mds_easy_before_request(raw) { data, address, _, _, _ in
                guard let slot = FetchSlot.slot(data), let address else { return CURL_PREREQFUNC_ABORT }
                return slot.beforeRequest(String(cString: address)) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            }
        )
    }

    /// Prepares the handle for the transfer's present hop. False where libcurl refuses something.
    func prepare(_ transfer: Transfer) -> Bool {
        self.transfer = transfer
        errorText[0] = 0
        let before = easy.refused
        easy.set(CURLOPT_URL, transfer.url.text)
        // Where a host speaks HTTP/2, its transfers share a connection: the first one's handshake is waited for to know.
        // Without TLS only an answer tells, which a stuck host never gives.
        easy.set(CURLOPT_PIPEWAIT, transfer.url.isSecure ? 1 : 0)
        let proxy = loop.proxy(for: transfer.url)
        if proxy != self.proxy { easy.set(CURLOPT_PROXY, proxy) }
        self.proxy = proxy
        let lines = (transfer.request.headers + (transfer.request.headersForURL?(transfer.url) ?? [])).map(\.line)
        guard !lines.contains(nil) else { return false }
        let list = lines.compactMap { $0 }.reduce(nil as UnsafeMutablePointer<curl_slist>?) { list, line in
            line.withCString { curl_slist_append(list, $0) } ?? list
        }
        if list != nil || headers != nil { easy.set(CURLOPT_HTTPHEADER, list: list) }
        curl_slist_free_all(headers)
        headers = list
        return easy.refused == before
    }

    /// Whether connections are judged by their address: through a proxy only the proxy's is seen.
    var isDirect: Bool { proxy.isEmpty }

    // MARK: Called by libcurl

    private func openSocket(_ address: UnsafePointer<curl_sockaddr>) -> Int32 {
        guard let transfer else { return -1 }
        if isDirect {
            var bytes = [UInt8](repeating: 0, count: 16)
            let count = mds_address_bytes(address, &bytes)
            guard let found = IPAddress(bytes: bytes.prefix(Int(count))) else { return -1 }
            guard loop.addressGuard.permits(found) else {
                transfer.refusedAddress = found
                return -1
            }
            transfer.hadPermittedAddress = true
        }
        let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, type, address.pointee.protocol)
    }

    /// The connection stands, a new one or one that was kept: its address is judged once more.
    private func beforeRequest(_ text: String) -> Bool {
        guard let transfer else { return false }
        if isDirect {
            // A zone behind a link-local address is no part of it; such an address is refused without one, too.
            guard let address = IPAddress(String(text.prefix { $0 != "%" })), loop.addressGuard.permits(address) else {
                transfer.cut = .fault(FetchFault(.refusedAddress, "the connection's address is refused"))
                return false
            }
        }
        transfer.sentAt = Monotonic.now
        return true
    }

    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
        guard let transfer else { return 0 }
        if transfer.firstByteAt == 0 { transfer.firstByteAt = Monotonic.now }
        do throws(FetchFault) {
            try transfer.head.take(line)
            if transfer.head.isComplete, transfer.received == 0, transfer.head.isSuccess,
                let length = transfer.head.contentLength, length > transfer.request.byteLimit
            {
                throw Self.tooLarge(transfer)
            }
        } catch {
            transfer.cut = .fault(error)
            return 0
        }
        return line.count
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let transfer, transfer.cut == nil else { return 0 }
        guard transfer.head.isSuccess else {
            transfer.discarded += bytes.count
            if transfer.discarded <= Self.mostDiscarded { return bytes.count }
            transfer.cut = .enough
            return 0
        }
        guard loop.mayReceive(bytes.count, for: self) else { return Int(CURL_WRITEFUNC_PAUSE) }
        guard transfer.received + Int64(bytes.count) <= transfer.request.byteLimit else {
            transfer.cut = .fault(Self.tooLarge(transfer))
            return 0
        }
        switch transfer.request.body {
        case .memory: transfer.body.append(contentsOf: bytes)
        case .file(let descriptor):
            if let fault = Self.write(bytes, to: descriptor, at: transfer.received) {
                transfer.cut = .fault(fault)
                return 0
            }
        }
        transfer.received += Int64(bytes.count)
        return bytes.count
    }

    private static func tooLarge(_ transfer: Transfer) -> FetchFault {
        FetchFault(.tooLarge, "the file is larger than \(ByteCount.describe(transfer.request.byteLimit))")
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int64) -> FetchFault? {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return writeFault(errno) }
            done += count
        }
        return nil
    }

    static func writeFault(_ number: Int32) -> FetchFault {
        FetchFault(.writing, "the body could not be written: \(String(cString: strerror(number)))")
    }
}
