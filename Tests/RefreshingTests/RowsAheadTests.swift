import Catalog
import Testing

@testable import Refreshing

/// Rows that were read before their turn.
@Suite struct RowsAheadTests {
    private static let second: Int64 = 1_000_000_000

    private func row(_ id: Int64) -> RemoteMedia {
        RemoteMedia(kind: .avatar, rowID: id, url: "https://far.example/\(id)")
    }

    @Test("a row serves once, its own item alone, and not when it is old")
    func once() {
        var ahead = RowsAhead()
        for id in 1...3 { ahead.add(row(Int64(id)), of: RefreshItem(.avatar, Int64(id)), now: 0) }
        #expect(ahead.has(RefreshItem(.avatar, 1), now: 0))
        #expect(ahead.take(RefreshItem(.header, 1), now: 0) == nil)
        #expect(ahead.take(RefreshItem(.avatar, 1), now: 4 * Self.second)?.rowID == 1)
        #expect(ahead.take(RefreshItem(.avatar, 1), now: 4 * Self.second) == nil)
        // One that will be too old when its turn comes is read again.
        #expect(!ahead.has(RefreshItem(.avatar, 2), now: 3 * Self.second))
        #expect(ahead.take(RefreshItem(.avatar, 2), now: 5 * Self.second) == nil)
    }

    @Test("an item that is tried again, or whose row the run has changed, has its row read again")
    func changed() {
        var again = RefreshItem(.avatar, 1)
        again.tries = 1
        var moved = RefreshItem(.avatar, 2)
        moved.step = .moved
        var ahead = RowsAhead()
        for item in [again, moved] {
            ahead.add(row(item.id), of: item, now: 0)
            #expect(ahead.take(item, now: 0) == nil)
        }
    }

    @Test("there are never more than a few thousand")
    func bound() {
        var ahead = RowsAhead()
        for id in 0..<10_000 { ahead.add(row(Int64(id)), of: RefreshItem(.avatar, Int64(id)), now: Int64(id)) }
        #expect((1...4096).contains((0..<10_000).count { ahead.has(RefreshItem(.avatar, Int64($0)), now: 10_000) }))
    }
}
