internal import CCurl
package import MediaModel
internal import Pacing
internal import Synchronization

/// Fetches from many servers at a time: one loop thread that owns libcurl and all connections. Connections are only ever
/// made through the address guard, and shared with nothing that is trusted.
package final class FetchEngine: Sendable {
    private let inbox: FetchInbox
    private let pool = WorkerPool(threads: 1)
    private let started = Atomic<UInt64>(0)
    private static let isReady = mds_curl_start() == CURLE_OK

    package init(_ options: FetchOptions) throws(SyncError) {
        guard Self.isReady, let multi = curl_multi_init() else {
            throw SyncError(.unexpected, "cannot start libcurl")
        }
        if let reason = Self.unusable(options) {
            curl_multi_cleanup(multi)
            throw SyncError(.configuration, "the settings for fetching cannot be used", why: reason)
        }
        // Never so few that a connection which was just used is the one to close.
        mds_multi_long(multi, CURLMOPT_MAXCONNECTS, max(options.keptConnections, options.inFlight * 2))
        inbox = FetchInbox(multi: multi)
        let inbox = inbox
        // The task holds its own thread until the loop ends.
        Task(executorPreference: pool) { FetchLoop(options, inbox).run() }
    }

    private static func unusable(_ options: FetchOptions) -> String? {
        if options.inFlight < 1 || options.keptConnections < 1 || options.redirects < 0 { return "a limit is below 1" }
        let texts = [options.userAgent, options.proxy ?? "", options.hiddenProxy ?? ""]
        guard texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else {
            return "a control character in the User-Agent or a proxy"
        }
        for proxy in [options.proxy, options.hiddenProxy].compactMap({ $0 })
        where !proxy.hasPrefix("http://") && !proxy.hasPrefix("https://") {
            return "http_proxy and http_hidden_proxy begin with http:// or https://"
        }
        return nil
    }

    /// Begins a fetch; it waits inside while as many as allowed are under way.
    /// - Parameter completion: called exactly once, on the loop thread: it must be short and never block. After `shutDown` it is
    ///   called at once, by the caller's thread.
    package func start(
        _ request: FetchRequest,
        completion: @escaping @Sendable (Result<FetchAnswer, FetchFault>) -> Void
    ) -> FetchTicket {
        let number = started.wrappingAdd(1, ordering: .relaxed).newValue
        if !inbox.put(.start(number, request, completion)) {
            completion(.failure(FetchFault(.cancelled, "the fetches were shut down")))
        }
        return FetchTicket(number: number)
    }

    /// Ends a fetch; its completion hears of it, unless it had ended already.
    package func cancel(_ ticket: FetchTicket) {
        _ = inbox.put(.cancel(ticket.number))
    }

    /// Fetches, and cancels with the task that waits.
    package func fetch(_ request: FetchRequest) async throws(FetchFault) -> FetchAnswer {
        let number = started.wrappingAdd(1, ordering: .relaxed).newValue
        let inbox = inbox
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation {
                (continuation: CheckedContinuation<Result<FetchAnswer, FetchFault>, Never>) in
                if !inbox.put(.start(number, request, { continuation.resume(returning: $0) })) {
                    continuation.resume(returning: .failure(FetchFault(.cancelled, "the fetches were shut down")))
                }
                // A task that was cancelled before there was something to cancel.
                if Task.isCancelled { _ = inbox.put(.cancel(number)) }
            }
        } onCancel: {
            _ = inbox.put(.cancel(number))
        }
        return try result.get()
    }

    /// Cancels everything and ends the loop: when it returns every completion has run. Waits for the loop thread, so it is
    /// not for a completion to call.
    package func shutDown() {
        _ = inbox.put(.stop)
        inbox.waitForEnd()
        pool.shutDown()
    }

    deinit {
        // Nobody can start anything any more; the loop ends by itself.
        _ = inbox.put(.stop)
        pool.shutDown()
    }
}
