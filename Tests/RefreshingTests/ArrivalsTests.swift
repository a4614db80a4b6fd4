import Testing

@testable import Refreshing

@Suite struct ArrivalsTests {
    @Test(
        "fetches under way count as files that wait, and where decoders have enough to do some begin together",
        arguments: [
            (ample: 1, underWay: 0, room: 10), (1, 9, 1), (1, 10, 0), (1, 12, 0), (0, 7, 3), (0, 8, 2), (0, 9, 0),
        ]
    )
    func room(ample: Int, underWay: Int, room: Int) {
        #expect(Arrivals(countMax: 10, ample: ample).room(underWay: underWay) == room)
    }

    @Test("a closed one has nothing to take")
    func closed() {
        let arrivals = Arrivals(countMax: 10, ample: 1)
        arrivals.close()
        #expect(arrivals.take().map { _ in true } == nil)
    }
}
