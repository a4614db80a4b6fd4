internal import CCurl
internal import MediaModel

/// From libcurl's words to a fault. What it says may repeat what a stranger sent, so it is escaped here.
enum CurlFault {
    static func fault(_ code: CURLcode, _ message: String, _ transfer: Transfer) -> FetchFault {
        if let address = transfer.refusedAddress, !transfer.hadPermittedAddress { return refused(address) }
        let own = curl_easy_strerror(code).map { String(cString: $0) } ?? "libcurl error \(code.rawValue)"
        let text = BytePath.escaped(Array((message.isEmpty ? own : message).utf8))
        return FetchFault(kind(code, wasSent: transfer.sentAt > 0, hasAnswer: transfer.firstByteAt > 0), text)
    }

    static func refused(_ address: IPAddress) -> FetchFault {
        FetchFault(.refusedAddress, "\(address) is no address of the public Internet (ALLOWED_PRIVATE_ADDRESSES)")
    }

    static func status(_ head: AnswerHead) -> FetchFault {
        let pause = RetryAfter.duration(
            retryAfter: head.retryAfter,
            rateLimitReset: head.status == 429 ? head.rateLimitReset : nil,
            date: head.date,
            now: Monotonic.wallSeconds
        )
        return FetchFault(.status(head.status), "the server answers with status \(head.status)", retryAfter: pause)
    }

    /// - Parameters:
    ///   - wasSent: whether the request was sent.
    ///   - hasAnswer: whether anything of an answer had come.
    static func kind(_ code: CURLcode, wasSent: Bool, hasAnswer: Bool) -> FetchFault.Kind {
        switch code {
        // Also said of answers that are no HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL where wasSent: .protocolError
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_LOGIN_DENIED: .badURL
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY, CURLE_NO_CONNECTION_AVAILABLE: .connect
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            .tls
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_SSL_SHUTDOWN_FAILED:
            hasAnswer ? .cutShort : .noAnswer
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        default: .protocolError
        }
    }
}
