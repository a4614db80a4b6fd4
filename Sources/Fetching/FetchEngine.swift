package import MediaModel

/// Fetches from many servers at a time: one loop thread that owns libcurl and all connections. Connections are only ever
/// made through the address guard, and shared with nothing that is trusted.
package final class FetchEngine: Sendable {
    package init(_ options: FetchOptions) throws(SyncError) {
    }

    /// Begins a fetch; it waits inside while as many as allowed are under way.
    /// - Parameter completion: called exactly once, on the loop thread: it must be short and never block.
    package func start(
        _ request: FetchRequest,
        completion: @escaping @Sendable (Result<FetchAnswer, FetchFault>) -> Void
    ) -> FetchTicket {
        completion(.failure(FetchFault(.cancelled, "the fetches were shut down")))
        return FetchTicket(number: 0)
    }

    /// Ends a fetch; its completion hears of it, unless it had ended already.
    package func cancel(_ ticket: FetchTicket) {
    }

    /// Fetches, and cancels with the task that waits.
    package func fetch(_ request: FetchRequest) async throws(FetchFault) -> FetchAnswer {
        throw FetchFault(.cancelled, "the fetches were shut down")
    }

    /// Cancels everything and ends the loop: when it returns every completion has run. Waits for the loop thread, so it is
    /// not for a completion to call.
    package func shutDown() {
    }
}
