import Testing

@testable import Fetching

/// When libcurl is asked to look at a transfer again.
struct StirTests {
    private static let second: Int64 = 1_000_000_000

    private static func transfer(_ status: String) throws -> Transfer {
        let request = FetchRequest(url: "https://files.example/a", byteLimit: 1 << 20, body: .memory)
        let url = try FetchURL(request.url)
        let transfer = Transfer(number: 1, request: request, completion: { _ in }, url: url, now: second)
        try Array("\(status)\r\n".utf8).withUnsafeBytes { try transfer.head.take($0) }
        (transfer.sentAt, transfer.firstByteAt) = (second, second)
        return transfer
    }

    @Test("over HTTP/2, half a second after the last byte, and again half a second later")
    func still() throws {
        let transfer = try Self.transfer("HTTP/2 200")
        transfer.received = 100
        #expect(!transfer.needsStir(now: 2 * Self.second))
        #expect(!transfer.needsStir(now: 2 * Self.second + 499_999_999))
        #expect(transfer.needsStir(now: 2 * Self.second + 500_000_000))
        #expect(!transfer.needsStir(now: 2 * Self.second + 900_000_000))
        #expect(transfer.needsStir(now: 3 * Self.second))
    }

    @Test("not while bytes come")
    func moving() throws {
        let transfer = try Self.transfer("HTTP/2 200")
        for tick in 1...40 as ClosedRange<Int64> {
            transfer.received += 1
            #expect(!transfer.needsStir(now: Self.second + tick * 400_000_000))
        }
    }

    @Test("not while the bandwidth limit holds it up, before an answer, or over HTTP/1.1")
    func others() throws {
        let paused = try Self.transfer("HTTP/2 200")
        paused.pausedAt = Self.second
        let unanswered = try Self.transfer("HTTP/2 200")
        unanswered.firstByteAt = 0
        for transfer in [paused, unanswered, try Self.transfer("HTTP/1.1 200 OK")] {
            for tick in 1...10 as ClosedRange<Int64> {
                #expect(!transfer.needsStir(now: Self.second + tick * Self.second))
            }
        }
    }
}
