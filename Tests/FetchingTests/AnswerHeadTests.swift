import Testing

@testable import Fetching

@Suite struct AnswerHeadTests {
    private func head(_ lines: [String]) throws(FetchFault) -> AnswerHead {
        var head = AnswerHead()
        for line in lines {
            let bytes = Array((line + "\r\n").utf8)
            let result = bytes.withUnsafeBytes { buffer -> FetchFault? in
                do throws(FetchFault) {
                    try head.take(buffer)
                    return nil
                } catch {
                    return error
                }
            }
            if let result { throw result }
        }
        return head
    }

    @Test("what matters is kept, names in any case, values without blanks")
    func fields() throws {
        let head = try head([
            "HTTP/1.1 429 Too Many", "content-LENGTH:  12 ", "Content-type: image/png", "LOCATION: /a b",
            "Retry-After:\t7",
            "X-RateLimit-Reset: 99", "Date: today", "Connection: keep-alive, Close",
            "Content-Disposition: attachment; filename=\"x.png",
            "Content-Encoding: identity", "X-Other: thing", "no colon at all", "",
        ])
        #expect(head.status == 429)
        #expect(head.version == 11)
        #expect(head.contentLength == 12)
        #expect(head.contentType == Array("image/png".utf8))
        #expect(head.location == Array("/a b".utf8))
        #expect(head.retryAfter == Array("7".utf8))
        #expect(head.rateLimitReset == Array("99".utf8))
        #expect(head.date == Array("today".utf8))
        #expect(head.dispositionName == Array("x.png".utf8))
        #expect(head.closes)
        #expect(head.isComplete)
    }

    @Test("an interim answer's head is not the answer's")
    func interim() throws {
        let head = try head([
            "HTTP/1.1 103 Early", "Content-Length: 5", "Location: /x", "", "HTTP/1.1 200 OK", "Content-Length: 6", "",
            // A trailer counts for nothing.
            "Content-Length: 7", "HTTP/1.1 500 No",
        ])
        #expect(head.status == 200)
        #expect(head.contentLength == 6)
        #expect(head.location == nil)
    }

    @Test("the same length twice is one length; HTTP/2 has no reason phrase")
    func tolerated() throws {
        #expect(try head(["HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5", ""]).contentLength == 5)
        #expect(try head(["HTTP/2 200 ", ""]).version == 20)
        #expect(try head(["HTTP/1.0 200", ""]).version == 10)
    }

    @Test(
        "heads that lie are refused",
        arguments: [
            ["HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6"], ["HTTP/1.1 200 OK", "Content-Length: 5, 5"],
            ["HTTP/1.1 200 OK", "Content-Length: +5"], ["HTTP/1.1 200 OK", "Content-Length:"],
            ["HTTP/1.1 200 OK", "Content-Length: 0x5"], ["HTTP/1.1 200 OK", "Content-Encoding: br"],
            ["HTTP/1.1 200 OK", "Content-Encoding: identity, gzip"],
            ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"],
            ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 5", ""],
            ["HTTP/1.1 302 OK", "Location: /a", "Location: /b"], ["HTTP/1.1 20 OK"], ["HTTP/1.1 abc"], ["HTTP/1.1"],
            ["HTTP/1.1 200 OK", "X: " + String(repeating: "a", count: 70_000)],
        ]
    )
    func refused(lines: [String]) {
        let fault = #expect(throws: FetchFault.self) { _ = try head(lines) }
        #expect(fault?.kind == .protocolError)
    }
}
