/// A whole answer with a status from 200 to 299.
package struct FetchAnswer: Sendable {
    package let status: Int
    /// The address that answered, after redirects.
    package let finalURL: String
    /// Bytes of the body, all of them received.
    package let byteCount: Int64
    /// What the server calls the content; a hint at most.
    package let contentType: String?
    /// The name in quotes of a Content-Disposition, as it came: hostile, good for its extension at most.
    package let dispositionName: [UInt8]?
    /// The body where it was asked for in memory, else empty.
    package let body: [UInt8]
    /// Redirects that were followed, those that led to this fetch among them.
    package let redirects: Int
    /// Requests that this fetch took: one, and one for each redirect that it followed itself.
    package var requests = 1
    /// From the start to the first byte of the last answer.
    package let firstByteNanoseconds: Int64
    /// From the start to the end, redirects included, waiting for a slot not.
    package let totalNanoseconds: Int64
}
