internal import MediaModel
internal import MediasyncTesting
internal import Pipeline
internal import Running
internal import Testing

@Suite struct MigrationStoreTests {
    private let place: TemporaryDirectory
    private let done = RunResult(counts: Counts(), error: nil)

    init() throws { place = try TemporaryDirectory() }

    private func run(_ number: UInt32) -> RunID { RunID(secondsSince1970: 1_795_400_000, random: number) }

    private func store(_ number: UInt32, scope: String = "a") throws -> MigrationStore {
        try MigrationStore(directory: "\(place.path)/state", scope: scope, run: run(number)) {
            1_795_400_000 + Int64(number)
        }
    }

    @Test("a move is remembered with its stages; another one knows nothing of it")
    func remembered() throws {
        let first = try store(1)
        #expect(try first.migration() == nil)
        try first.begin(again: [])
        try first.begin("restore")
        try first.end("restore", done)
        try first.begin("media")
        try first.set(moment: 77)
        let second = try store(2)
        try second.begin(again: [])
        let known = try #require(try second.migration())
        #expect(known.run == run(1) && known.beganAt == 1_795_400_001 && known.moment == 77)
        #expect(known.isDone("restore") && !known.isDone("media") && !known.isDone("verify"))
        #expect(known.stages["media"]?.run == run(1))
        #expect(try store(3, scope: "b").migration() == nil)
    }

    @Test("stages that are to be done again are done no more; a concluded one is done")
    func again() throws {
        let first = try store(1)
        try first.begin(again: [])
        for stage in ["restore", "media"] {
            try first.begin(stage)
            try first.end(stage, done)
        }
        try first.begin(again: ["media"])
        #expect(try first.migration()?.isDone("media") == false)
        #expect(try first.migration()?.isDone("restore") == true)
        try first.begin("media")
        #expect(try first.migration()?.isDone("media") == false)
        try first.conclude("media")
        #expect(try first.migration()?.isDone("media") == true)
        try first.forget()
        #expect(try first.migration() == nil)
    }

    @Test("clean repairs are counted in a row, each server's by itself")
    func repairs() throws {
        let store = try RepairStore(directory: "\(place.path)/state", scope: "a")
        let other = try RepairStore(directory: "\(place.path)/state", scope: "b")
        #expect(try store.record(run(1), isClean: true, at: 1) == 1)
        #expect(try store.record(run(2), isClean: true, at: 2) == 2)
        #expect(try other.record(run(3), isClean: true, at: 3) == 1)
        #expect(try store.record(run(4), isClean: false, at: 4) == 0)
        for number in 5...120 { _ = try store.record(run(UInt32(number)), isClean: true, at: Int64(number)) }
        #expect(try store.record(run(200), isClean: true, at: 200) <= 117)
        #expect(try store.record(run(201), isClean: false, at: 201) == 0)
    }
}
