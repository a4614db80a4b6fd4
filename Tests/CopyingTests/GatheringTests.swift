import Testing

@testable import Copying

/// How long little things wait for more before they are sent.
@Suite struct GatheringTests {
    @Test("what comes alone waits shortly, and a stream of little things longer and longer, up to a bound")
    func grows() {
        var gathering = Gathering()
        #expect(gathering.pause(isLittle: true, after: 1_000_000_000) == Gathering.shortest)
        var last = Gathering.shortest
        for _ in 0..<20 {
            let next = gathering.pause(isLittle: true, after: 0)
            #expect(next == min(2 * last, Gathering.longest))
            last = next
        }
        #expect(last == Gathering.longest)
    }

    @Test("a gap or much to send ends the stream")
    func ends() {
        var gathering = Gathering()
        for _ in 0..<20 { _ = gathering.pause(isLittle: true, after: 0) }
        #expect(gathering.pause(isLittle: true, after: Gathering.longest + 1) == Gathering.shortest)
        for _ in 0..<20 { _ = gathering.pause(isLittle: true, after: 0) }
        #expect(gathering.pause(isLittle: false, after: 0) == 0)
        #expect(gathering.pause(isLittle: true, after: Gathering.shortest + 1) == Gathering.shortest)
    }

    @Test("who answers one by one is never held up for longer than it takes to answer")
    func lockstep() {
        var gathering = Gathering()
        for _ in 0..<20 { #expect(gathering.pause(isLittle: true, after: 300_000) == Gathering.shortest) }
    }
}
