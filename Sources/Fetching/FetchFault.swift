package import Pacing

/// Why a fetch brought nothing.
package struct FetchFault: Error, Sendable, Equatable {
    /// What an engine must tell apart.
    package enum Kind: Sendable, Hashable {
        /// No URL of http or https with a host, or one with credentials.
        case badURL
        /// The host's addresses are none of the public Internet.
        case refusedAddress
        /// A `.onion` or `.i2p` name, and those are not allowed.
        case hiddenService
        /// The name has no address, or no name server answers.
        case resolve
        case connect
        /// No trusted certificate for this name, or no common protocol.
        case tls
        /// The connection was closed without one byte of an answer.
        case noAnswer
        /// A deadline passed; the message says which.
        case timeout
        case tooLarge
        /// The body ended before it was whole.
        case cutShort
        /// A redirect to nowhere, to itself, or from https to http.
        case badRedirect
        case tooManyRedirects
        /// A redirect to another host, where the request does not follow those.
        case redirected
        /// Not HTTP as it should be: lengths that differ, an encoding nobody asked for, endless headers.
        case protocolError
        /// An answer with a status that is none of 200 to 299.
        case status(Int)
        /// The body could not be written to the caller's file.
        case writing
        case cancelled
    }

    package let kind: Kind
    /// One line; what strangers said in it is escaped.
    package let message: String
    /// How long the server asks to be left alone.
    package let retryAfter: Duration?
    /// Where the fetch would go on; only of the kind `redirected`.
    package let redirect: FetchRedirect?
    /// Requests that the fetch took.
    package var requests = 1

    package init(
        _ kind: Kind,
        _ message: String,
        retryAfter: Duration? = nil,
        redirect: FetchRedirect? = nil
    ) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
        self.redirect = redirect
    }
}

extension FetchFault {
    /// What a fault means for the item that was to be fetched.
    package enum Verdict: Sendable, Hashable {
        /// The server says that it does not exist any more (404, 410): not to be asked for again soon.
        case gone
        /// Asking again would end the same way.
        case final
        /// May go through later.
        case retry
        /// It was ended from here.
        case cancelled
    }

    package var verdict: Verdict {
        switch kind {
        case .status(404), .status(410): .gone
        case .status(408), .status(425), .status(429), .status(500...599): .retry
        case .status: .final
        case .badURL, .refusedAddress, .hiddenService, .tls, .tooLarge, .badRedirect, .tooManyRedirects: .final
        case .resolve, .connect, .noAnswer, .timeout, .cutShort, .protocolError, .writing, .redirected: .retry
        case .cancelled: .cancelled
        }
    }

    /// What a fault says about the host.
    package var paceEnding: PaceEnding {
        switch kind {
        case .status(429), .status(503): .throttled(retryAfter: retryAfter)
        case .status(502), .status(504), .status(520...599): .throttled(retryAfter: retryAfter)
        case .resolve, .connect, .tls, .noAnswer, .timeout: .unreachable
        case .status, .tooLarge, .cutShort, .badRedirect, .tooManyRedirects, .protocolError: .refused
        case .redirected: .answered(nanoseconds: redirect?.nanoseconds ?? 0)
        case .badURL, .refusedAddress, .hiddenService, .writing, .cancelled: .abandoned
        }
    }
}

extension FetchAnswer {
    /// What an answer says about the host.
    package var paceEnding: PaceEnding { .answered(nanoseconds: totalNanoseconds) }
}
