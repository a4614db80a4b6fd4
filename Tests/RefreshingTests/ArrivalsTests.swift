import Testing

@testable import Refreshing

@Suite struct ArrivalsTests {
    @Test(
        "fetches under way count as files that wait",
        arguments: [(underWay: 0, room: 10), (7, 3), (9, 1), (10, 0), (12, 0)]
    )
    func room(underWay: Int, room: Int) {
        #expect(Arrivals(countMax: 10).room(underWay: underWay) == room)
    }

    @Test("a closed one has nothing to take")
    func closed() {
        let arrivals = Arrivals(countMax: 10)
        arrivals.close()
        #expect(arrivals.take().map { _ in true } == nil)
    }
}
