package import Fetching
package import Imaging

/// Brings bytes from other servers.
package protocol MediaFetching: Sendable {
    /// Begins a fetch. The completion is called once, from any thread, and must not block.
    func start(
        _ request: FetchRequest,
        completion: @escaping @Sendable (Result<FetchAnswer, FetchFault>) -> Void
    ) -> FetchTicket

    func cancel(_ ticket: FetchTicket)
}

extension FetchEngine: MediaFetching {}

/// Makes of fetched bytes what Mastodon keeps. Blocks: for threads of our own.
package protocol MediaProcessing: Sendable {
    func process(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia

    /// The run stops: what is under way fails as stopped.
    func shutDown()
}

extension ProcessingPool: MediaProcessing {}
