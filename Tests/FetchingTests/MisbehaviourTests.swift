import Fetching
import MediaModel
import MediasyncTesting
import Testing

/// Every way in which a stranger's server fails.
@Suite struct MisbehaviourTests {
    static let expected: [(OriginBehaviour, FetchFault.Kind)] = [
        (.slowHead, .timeout), (.slowBody, .timeout), (.hang, .timeout), (.stall, .timeout),
        (.infinite, .tooLarge), (.infiniteChunks, .tooLarge), (.infiniteHead, .protocolError),
        (.infiniteInterim, .protocolError), (.hugeLength, .tooLarge), (.overflowLength, .tooLarge),
        (.short, .cutShort), (.long, .protocolError), (.twoLengths, .protocolError), (.negativeLength, .protocolError),
        (.lengthAndChunks, .protocolError), (.chunkCut, .cutShort), (.chunkBad, .cutShort), (.dropMid, .cutShort),
        (.resetMid, .cutShort), (.resetAtOnce, .noAnswer), (.closeAtOnce, .noAnswer),
        (.gzip, .protocolError), (.gzipTransfer, .protocolError), (.notHTTP, .protocolError),
        (.badStatus, .protocolError),
        (.loop, .badRedirect), (.chain, .tooManyRedirects), (.nowhere, .badRedirect), (.redirectBad, .badRedirect),
        (.redirectScheme, .badRedirect), (.redirectCredentials, .badRedirect), (.redirectPrivate, .refusedAddress),
        (.redirectTwo, .protocolError), (.endlessError, .status(404)),
    ]

    @Test("each misbehaviour ends in its fault, in time", .timeLimit(.minutes(10)), arguments: expected)
    func misbehaviour(behaviour: OriginBehaviour, kind: FetchFault.Kind) async throws {
        let lab = try Lab()
        let result = await lab.fetch("/\(behaviour.rawValue)", limit: 100_000)
        #expect(result.fault?.kind == kind, "\(result)")
        // The engine goes on.
        #expect(await lab.fetch("/good").answer?.body == Lab.png)
    }

    @Test("no misbehaviour is left out")
    func complete() {
        #expect(Set(Self.expected.map(\.0)) == Set(OriginBehaviour.allCases))
    }

    @Test("hundreds of stuck servers hold up nobody else")
    func manyStuck() async throws {
        let lab = try Lab { $0.inFlight = 64 }
        let results = await withTaskGroup(of: Result<FetchAnswer, FetchFault>.self) { group in
            for number in 0..<32 {
                group.addTask { await lab.fetch(number.isMultiple(of: 2) ? "/hang" : "/stall") }
            }
            for number in 0..<500 { group.addTask { await lab.fetch("/good/\(number)") } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0.answer != nil } == 500)
        #expect(results.count { $0.fault?.kind == .timeout } == 32)
    }

    @Test("what a stranger says is escaped")
    func escaped() async throws {
        let lab = try Lab(content: { _ in .status(302, headers: ["Location: http://a\u{1B}[31m/"]) })
        let fault = try #require(await lab.fetch("/").fault)
        #expect(fault.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
    }
}
