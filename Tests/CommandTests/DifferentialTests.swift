import MediaModel
import MediasyncTesting
import Testing

/// Random trees, random changes: the copy equals the source in everything a snapshot knows, and rsync agrees.
@Suite("A copy of a random tree equals its source", .serialized)
struct DifferentialTests {
    @Test(
        "after a first copy and after each round of random changes",
        .enabled(if: Requirement.isRoot && Requirement.hasRsync, "needs root and rsync"),
        arguments: 1...14 as ClosedRange<UInt64>
    )
    func copyEqualsSource(seed: UInt64) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        var tree = try SeededTree(in: source, seed: seed, entries: 70)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(25) }
            let options = ["--delete", "--max-delete", "100%", "-q"] + (seed % 3 == 0 ? ["--fsync", "none"] : [])
            let result = try BinaryRunner.copy(options, source, target)
            #expect(result.exitCode == 0, "seed \(seed), round \(round): \(result.errorText)")
            let differences = try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target))
            #expect(differences.isEmpty, "seed \(seed), round \(round)")
            let rsync = try Program(RsyncProgram.path).run(
                ["-aHAXSin", "--delete"],
                source.appending(.root) / "",
                target / ""
            )
            #expect(rsync.text == "", "seed \(seed), round \(round)")
        }
    }

    @Test(
        "and a dry run before each round prints what the round then does",
        .enabled(if: Requirement.isRoot, "needs root"),
        arguments: 101...110 as ClosedRange<UInt64>
    )
    func dryRunIsExact(seed: UInt64) throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        var tree = try SeededTree(in: source, seed: seed, entries: 60, hardLinks: false)
        for round in 0..<3 {
            if round > 0 { try tree.mutate(25) }
            let options = ["--delete", "--max-delete", "100%", "-i"]
            let before = try TreeSnapshot(of: target)
            let plan = try BinaryRunner.copy(options + ["-n"], source, target)
            let touched = try TreeSnapshot(of: target).differences(from: before, in: .all)
            #expect(touched.isEmpty, "seed \(seed), round \(round): a dry run changed the target")
            let result = try BinaryRunner.copy(options, source, target)
            #expect(plan.exitCode == result.exitCode, "seed \(seed), round \(round)")
            let expected = Self.itemized(plan)
            let done = Self.itemized(result)
            #expect(expected.subtracting(done).sorted() == [], "seed \(seed), round \(round): planned, not done")
            #expect(done.subtracting(expected).sorted() == [], "seed \(seed), round \(round): done, not planned")
        }
    }

    private static func itemized(_ result: Program.Result) -> Set<String> {
        Set(result.lines.filter { $0.dropFirst(11).hasPrefix(" ") && !$0.hasPrefix(" ") })
    }
}
