import Benchmark
import Copying
import Foundation
import MediaModel
import Running
import Storage

/// The walk and the comparison of two equal trees, in one process and warm: what is left of a second run when the start
/// of the process is taken away. One iteration handles 1,000 files in about 3,000 directories of media shape.
let benchmarks: @Sendable () -> Void = {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .cpuTotal],
        warmupIterations: 2,
        maxDuration: .seconds(5),
        maxIterations: 300
    )

    for jobs in [1, 2, 8] {
        Benchmark("nothing changed, workers \(jobs)", configuration: configuration) {
            (benchmark: Benchmark, trees: MediaTrees) in
            for _ in benchmark.scaledIterations {
                let counts = await trees.copy(to: "target", jobs: jobs)
                precondition(counts.failed == 0 && counts.copied == 0, "the trees were not equal")
            }
        } setup: {
            let trees = try MediaTrees(files: 1_000)
            let counts = await trees.copy(to: "target", jobs: 2)
            precondition(counts.copied == 1_000, "the first copy failed")
            return trees
        } teardown: {
            try MediaTrees.remove()
        }
    }
    Benchmark("dry run of a first copy, workers 2", configuration: configuration) {
        (benchmark: Benchmark, trees: MediaTrees) in
        for _ in benchmark.scaledIterations {
            let counts = await trees.copy(to: "nowhere", jobs: 2, dryRun: true)
            precondition(counts.failed == 0, "the dry run failed")
        }
    } setup: {
        try MediaTrees(files: 1_000)
    } teardown: {
        try MediaTrees.remove()
    }
}

/// A small media tree, and room for copies of it, in a temporary directory of this process.
struct MediaTrees {
    private static let root = FileManager.default.temporaryDirectory.path + "/mediasync-benchmark.\(getpid())"

    init(files: Int) throws {
        for number in 0..<files {
            // Nine digits: three directories and one of a style for each file, the first shared by all.
            let digits = String(115_000_000 + number * 977)
            let groups = stride(from: 0, to: 9, by: 3).map { String(digits.dropFirst($0).prefix(3)) }
            let folder = Self.root + "/source/" + groups.joined(separator: "/") + "/original"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let content = Data(repeating: UInt8(truncatingIfNeeded: number), count: 100 + number % 900)
            try content.write(to: URL(fileURLWithPath: folder + "/picture.jpeg"))
        }
    }

    static func remove() throws {
        try FileManager.default.removeItem(atPath: root)
    }

    func copy(to target: String, jobs: Int, dryRun: Bool = false) async -> Counts {
        var options = CopyOptions()
        options.durability = .none
        options.jobs = jobs
        options.dryRun = dryRun
        let engine = CopyEngine(
            source: BytePath(Self.root + "/source"),
            target: BytePath(Self.root + "/" + target),
            options: options,
            run: RunID(secondsSince1970: 1_800_000_000, random: 1),
            host: .current(),
            control: RunControl(),
            sink: { _ in }
        )
        return await engine.run().counts
    }
}
