/// One GET to a stranger's server.
package struct FetchRequest: Sendable {
    /// As it was found in a row or a document: any text.
    package var url: String
    /// The most bytes a body may have; one more and the fetch fails.
    package var byteLimit: Int64
    package var body: FetchBody
    /// Sent to every host that a redirect leads to: nothing secret.
    package var headers: [FetchHeader]
    /// Headers for one address alone, e.g. its signature; asked again for each redirect, on the loop thread.
    package var headersForURL: (@Sendable (FetchURL) -> [FetchHeader])?
    /// Whether redirects to other hosts are followed at once. Else the fetch ends there with a fault that says where it would go on,
    /// so that the other host is asked when its turn comes.
    package var followsToOtherHosts = true
    /// Addresses whose redirects led here.
    var trail: [String] = []

    package init(
        url: String,
        byteLimit: Int64,
        body: FetchBody,
        headers: [FetchHeader] = [],
        headersForURL: (@Sendable (FetchURL) -> [FetchHeader])? = nil
    ) {
        self.url = url
        self.byteLimit = byteLimit
        self.body = body
        self.headers = headers
        self.headersForURL = headersForURL
    }
}

/// Where a body goes.
package enum FetchBody: Sendable {
    /// Into an open file, from offset 0 on; a longer one is cut. The descriptor stays the caller's, who keeps it open until the fetch has ended;
    /// of a fetch that failed the file holds anything.
    case file(descriptor: Int32)
    /// Into the answer, for small documents.
    case memory
}

/// A header of a request.
package struct FetchHeader: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The line that is sent; nil where it would be more than one, or none.
    var line: String? {
        let isPlain = (name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        return isPlain && !name.isEmpty && !name.utf8.contains(UInt8(ascii: ":")) ? "\(name): \(value)" : nil
    }
}

/// Names a fetch that was started, so that it can be cancelled.
package struct FetchTicket: Sendable, Hashable {
    let number: UInt64
}
