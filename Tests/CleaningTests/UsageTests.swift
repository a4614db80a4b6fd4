import MediaModel
import MediasyncTesting
import Pacing
import Storage
import Testing

@testable import Cleaning

@Suite struct StoreWalkTests {
    private static let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)

    @Test("every file is told once, whatever the number of threads", arguments: [1, 2, 8])
    func everyFile(threads: Int) async {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let store = MemoryMediaStore()
        for _ in 0..<400 {
            let depth = Int.random(in: 0...5, using: &random)
            let folders = (0..<depth).map { _ in "d\(Int.random(in: 0...3, using: &random))" }
            let name = "f\(UInt32.random(in: 0...UInt32.max, using: &random))"
            store.add(BytePath((folders + [name]).joined(separator: "/")), [1], at: Self.moment)
        }
        let walk = StoreWalk(store)
        let pool = WorkerPool(threads: threads)
        defer { pool.shutDown() }
        let found = await withTaskGroup(of: [BytePath].self) { group in
            for _ in 0..<threads {
                group.addTask(executorPreference: pool) {
                    var own: [BytePath] = []
                    walk.work { result in
                        if case .success(let path) = result { own.append(path) }
                        return true
                    }
                    return own
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(found.sorted() == store.paths, "seed \(seed)")
    }

    @Test("a prefix limits the walk; a directory that cannot be listed is told, the others go on")
    func prefixAndFailure() {
        let store = MemoryMediaStore()
        for path in ["a/1", "b/2", "b/c/3"] { store.add(BytePath(path), [1], at: Self.moment) }
        var found: [String] = []
        StoreWalk(store, from: BytePath("b")).work { result in
            if case .success(let path) = result { found.append(path.description) }
            return true
        }
        #expect(found.sorted() == ["b/2", "b/c/3"])
        var failed: [String] = []
        found = []
        let faulty = FaultyStore(store, failing: .list, after: 1, with: .denied)
        StoreWalk(faulty).work { result in
            switch result {
            case .success(let path): found.append(path.description)
            case .failure(let failure): failed.append(failure.directory.description)
            }
            return true
        }
        #expect(failed.count == 1)
        #expect(found.count == (failed == ["a"] ? 2 : 1))
    }

    @Test("who has heard enough ends the walk")
    func ended() {
        let store = MemoryMediaStore()
        for number in 0..<50 { store.add(BytePath("d\(number)/f"), [1], at: Self.moment) }
        var heard = 0
        let walk = StoreWalk(store)
        walk.work { _ in
            heard += 1
            return heard < 3
        }
        #expect(heard == 3)
    }
}

/// `status --usage`: the sums of both sides.
@Suite(.serialized, .enabled(if: Requirement.hasPostgres, "needs PostgreSQL's server programs and setpriv"))
struct UsageTests {
    @Test("rows and files are summed by kind and place; what is no media has a line of its own")
    func survey() async throws {
        let database = try MastodonDatabase(Fixture.cluster(), name: "survey", release: "4.3")
        let rows = """
            INSERT INTO accounts (id, username, domain, avatar_file_name, avatar_content_type, avatar_file_size,
                avatar_updated_at, avatar_storage_schema_version, created_at, updated_at) VALUES
                (1, 'admin', NULL, 'me.png', 'image/png', 10, '2020-01-01', 1, now(), now()),
                (2, 'far', 'far.example', 'far.gif', 'image/gif', 20, '2020-01-01', 1, now(), now()),
                (3, 'old', 'far.example', 'old.png', 'image/png', 40, '2020-01-01', NULL, now(), now());
            """
        try Fixture.cluster().sql(rows, database: database.name)
        let store = MemoryMediaStore()
        let sizes = [
            "accounts/avatars/000/000/001/original/me.png": 11, "accounts/avatars/000/000/003/original/old.png": 40,
            "cache/accounts/avatars/000/000/002/original/far.gif": 20,
            "cache/accounts/avatars/000/000/002/static/far.png": 3,
            "cache/accounts/avatars/000/000/009/original/orphan.png": 5, "README": 2, "cache/tmp/x": 1,
        ]
        for (path, size) in sizes {
            let moment = Timestamp(seconds: 1_790_000_000, nanoseconds: 0)
            store.add(BytePath(path), [UInt8](repeating: 1, count: size), at: moment)
        }
        let survey = UsageSurvey(settings: try Fixture.settings("survey"), store: store, processors: 1)
        let answer = try await survey.run()
        #expect(answer.failed == 0)
        let lines = answer.lines.map {
            "\($0.kind) \($0.isCached) rows \($0.rows) \($0.bytesInRows) files \($0.files) "
                + "\($0.bytesOfOriginals) \($0.bytesOfOthers) \($0.difference)"
        }
        #expect(
            lines == [
                "avatar false rows 2 50 files 2 51 0 1", " false rows 0 0 files 1 0 2 0",
                "avatar true rows 1 20 files 3 25 3 5", " true rows 0 0 files 1 0 1 0",
            ]
        )
        let faulty = FaultyStore(store, failing: .look, with: .denied)
        let partial = try await UsageSurvey(settings: try Fixture.settings("survey"), store: faulty, processors: 1)
            .run()
        #expect(partial.failed == 1)
        let other = UsageSurvey(settings: try Fixture.settings("postgres"), store: store, processors: 1)
        let error = await #expect(throws: SyncError.self) { try await other.run() }
        #expect(error?.code == .schema)
    }
}
