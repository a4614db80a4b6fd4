import Catalog
import Fetching
import Pacing
import Testing

@testable import Refreshing

@Suite struct RedirectedItemsTests {
    private let here = HostID(index: 0)
    private let there = HostID(index: 1)

    private func redirect(_ url: String = "http://there.example/file") -> FetchRedirect {
        FetchRedirect(url: url, trail: ["http://here.example/file"], nanoseconds: 1)
    }

    @Test("an item goes on where it was led, once, and only from the address that led there")
    func once() {
        var items = RedirectedItems()
        let (one, other) = (RefreshItem(.avatar, 1), RefreshItem(.header, 1))
        items.add(one, of: "http://here.example/file", from: here, redirect())
        #expect(items.take(other, of: "http://here.example/file") == nil)
        #expect(items.take(one, of: "http://here.example/file") == redirect())
        #expect(items.take(one, of: "http://here.example/file") == nil)
        items.add(one, of: "http://here.example/file", from: here, redirect())
        #expect(items.take(one, of: "http://here.example/moved") == nil)
        items.add(one, of: "http://here.example/file", from: here, redirect())
        items.forget(one)
        #expect(items.take(one, of: "http://here.example/file") == nil)
    }

    @Test(
        "where too many wait, hosts that lead elsewhere are asked for no more; what waits already goes on",
        arguments: [true, false]
    )
    func crowd(byCount: Bool) {
        var items = byCount ? RedirectedItems(countMax: 10) : RedirectedItems(bytesMax: 10 * 90)
        let url = "http://there.example/" + String(repeating: "x", count: 69 - 48)
        for id in 0..<10 {
            #expect(!items.isCrowded(RefreshItem(.attachment, 100), here))
            items.add(RefreshItem(.attachment, Int64(id)), of: "http://here.example/file", from: here, redirect(url))
        }
        #expect(items.isCrowded(RefreshItem(.attachment, 100), here))
        #expect(!items.isCrowded(RefreshItem(.attachment, 100), there))
        #expect(!items.isCrowded(RefreshItem(.attachment, 5), here))
        // One that is led on once more is no second one.
        items.add(RefreshItem(.attachment, 5), of: "http://here.example/file", from: there, redirect(url))
        _ = items.take(RefreshItem(.attachment, 0), of: "http://here.example/file")
        #expect(!items.isCrowded(RefreshItem(.attachment, 100), here))
    }
}
