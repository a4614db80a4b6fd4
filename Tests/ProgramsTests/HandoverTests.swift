import Glibc
import MediasyncTesting
import Pacing
import Programs
import Testing

/// Descriptors that one process hands to another: here both are this one.
@Suite("Descriptors that are handed over") struct HandoverTests {
    private let name = Array("mediasync-test-".utf8) + SeededGenerator.bytes(16, seed: .random(in: 0 ... .max))

    /// The test blocks a thread of the cooperative pool while it calls.
    private let pool = WorkerPool(threads: 1)

    private func refusal(saying message: [UInt8] = [1], user: UInt32 = geteuid()) -> String? {
        do throws(HandoverCall.Refusal) {
            let call = try HandoverCall(to: name, user: user, saying: message, input: 0, output: 1)
            call.close()
            return nil
        } catch { return error.reason }
    }

    @Test("arrive with what was said, and the caller hears when they are needed no more")
    func arrive() async throws {
        defer { pool.shutDown() }
        let listener = try #require(HandoverListener(name: name))
        var pipes: [Int32] = [-1, -1]
        #expect(pipe(&pipes) == 0)
        let listening = Task(executorPreference: pool) { () -> [UInt8] in
            guard let handover = listener.next(within: 5000) else { return [] }
            handover.answer()
            // It is a descriptor of its own of the same pipe.
            _ = write(handover.output, handover.message, handover.message.count)
            return handover.message
        }
        let call = try HandoverCall(to: name, saying: [7, 8, 9], input: pipes[0], output: pipes[1])
        // The handover goes with the task.
        call.waitForEnd()
        call.close()
        #expect(await listening.value == [7, 8, 9])
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(read(pipes[0], &bytes, bytes.count) == 3)
        #expect(bytes.prefix(3) == [7, 8, 9])
        for end in pipes { close(end) }
    }

    @Test("are refused with the reason that is given")
    func refused() async throws {
        defer { pool.shutDown() }
        let listener = try #require(HandoverListener(name: name))
        let listening = Task(executorPreference: pool) { listener.next(within: 5000)?.answer(refusal: "no room") }
        #expect(refusal() == "no room")
        #expect(await listening.value != nil)
        #expect(refusal(saying: [UInt8](repeating: 1, count: Handover.messageMax + 1)) != nil)
    }

    @Test("are not taken from another user, and nothing is said to another user")
    func users() async throws {
        defer { pool.shutDown() }
        #expect(refusal() == "no such run is at work here")
        let other = try #require(HandoverListener(name: name, user: geteuid() + 1))
        let listening = Task(executorPreference: pool) { other.next(within: 5000) == nil }
        #expect(refusal() == "the run does not answer")
        #expect(await listening.value)
        #expect(refusal(user: geteuid() + 1) == "the run is another user's")
    }

    @Test("have one listener of a name, and none after it has gone")
    func names() throws {
        do {
            let first = try #require(HandoverListener(name: name))
            #expect(HandoverListener(name: name) == nil)
            first.stop()
            #expect(first.next(within: 5000) == nil)
        }
        #expect(refusal() == "no such run is at work here")
        #expect(HandoverListener(name: []) == nil)
        #expect(HandoverListener(name: [UInt8](repeating: 1, count: 200)) == nil)
    }
}
