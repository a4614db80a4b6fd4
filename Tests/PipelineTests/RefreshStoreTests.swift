import MediaModel
import MediasyncTesting
import Pipeline
import Testing

/// What is remembered of media that could not be fetched.
@Suite struct RefreshStoreTests {
    let place: TemporaryDirectory
    var directory: String { place.path.description }
    private let one = MediaReference(kind: "avatar", id: 1)
    private let other = MediaReference(kind: "header", id: 1)

    init() throws {
        place = try TemporaryDirectory()
    }

    @Test("what is gone is remembered with its time, for whoever opens the store next")
    func gone() throws {
        try RefreshStore(directory: directory, scope: "a").record([RefreshEnding(one, .gone)], at: 1000)
        let store = try RefreshStore(directory: directory, scope: "a")
        #expect(try store.gone(since: 1000) == [one])
        #expect(try store.gone(since: 1001) == [])
        // Asked again, and still gone.
        try store.record([RefreshEnding(one, .gone)], at: 2000)
        #expect(try store.gone(since: 1001) == [one])
        #expect(try store.failed() == [])
    }

    @Test("the last ending counts; what was fetched is forgotten")
    func last() throws {
        let store = try RefreshStore(directory: directory, scope: "a")
        try store.record([RefreshEnding(one, .failed), RefreshEnding(other, .gone)], at: 1000)
        #expect(try store.failed() == [one])
        try store.record([RefreshEnding(one, .gone), RefreshEnding(other, .failed)], at: 1001)
        #expect(try store.failed() == [other])
        #expect(try store.gone(since: 0) == [one])
        try store.record([RefreshEnding(one, .fetched), RefreshEnding(other, .fetched)], at: 1002)
        #expect(try store.failed() == [] && store.gone(since: 0) == [])
    }

    @Test("another database's or media root's memory is not seen")
    func scopes() throws {
        let mine = try RefreshStore(directory: directory, scope: "a")
        let theirs = try RefreshStore(directory: directory, scope: "b")
        try mine.record([RefreshEnding(one, .failed)], at: 1)
        #expect(try theirs.failed() == [])
        try theirs.record([RefreshEnding(one, .fetched)], at: 2)
        #expect(try mine.failed() == [one])
    }
}
