import MediaModel
import MediasyncTesting
import Pipeline
import Testing

/// Intents are there until they are closed, also for the next process, and only for their own database and media.
@Suite struct IntentStoreTests {
    let place: TemporaryDirectory
    var directory: String { place.path.description }

    init() throws {
        place = try TemporaryDirectory()
    }

    private static func intent(_ id: Int64, _ paths: [String]) -> RemovalIntent {
        RemovalIntent(table: "accounts", id: id, paths: paths.map { BytePath($0) })
    }

    @Test("what was opened is pending for whoever opens the store next, until it is closed")
    func lifetime() throws {
        let first = try IntentStore(directory: directory, scope: "a")
        let one = [Self.intent(1, ["x", "y"]), Self.intent(2, ["z"])]
        let two = [Self.intent(-99, ["w"])]
        let numbers = [try first.open(one), try first.open(two)]
        let second = try IntentStore(directory: directory, scope: "a")
        let pending = try #require(try second.pending(after: -1))
        #expect(pending.number == numbers[0])
        #expect(pending.intents == one)
        #expect(try second.pending(after: numbers[0])?.intents == two)
        #expect(try second.pending(after: numbers[1])?.number == nil)
        try second.close(numbers[0])
        #expect(try first.pending(after: -1)?.number == numbers[1])
        try first.close(numbers[1])
        #expect(try second.pending(after: -1)?.number == nil)
    }

    @Test("another database's or media root's intents are neither seen nor closed")
    func scopes() throws {
        let mine = try IntentStore(directory: directory, scope: "a")
        let other = try IntentStore(directory: directory, scope: "b")
        let number = try mine.open([Self.intent(1, ["x"])])
        #expect(try other.pending(after: -1)?.number == nil)
        try other.close(number)
        #expect(try mine.pending(after: -1)?.number == number)
    }

    @Test("paths are bytes, and a number is never given twice")
    func bytes() throws {
        let store = try IntentStore(directory: directory, scope: "a")
        let path = BytePath(bytes: [0xFF, 0x0A, 0x2F, 0x61])
        let intent = RemovalIntent(table: "media_attachments", id: Int64.max, paths: [path])
        let number = try store.open([intent])
        #expect(try store.pending(after: -1)?.intents == [intent])
        try store.close(number)
        #expect(try store.open([intent]) > number)
    }

    @Test("a thousand files in one intent keep their rows and their order")
    func many() throws {
        let store = try IntentStore(directory: directory, scope: "a")
        let intents = (1...500).map { Self.intent(Int64($0), ["a/\($0)", "b/\($0)"]) }
        _ = try store.open(intents)
        #expect(try store.pending(after: -1)?.intents == intents)
    }
}
