import Benchmark
import Checksums
import MediaModel

/// How fast content is digested: the copy reads no faster than this, so XXH3 must be far above what a disk gives, and
/// SHA-256 shows what asking for it costs.
let benchmarks: @Sendable () -> Void = {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .throughput],
        warmupIterations: 5,
        scalingFactor: .one,
        maxDuration: .seconds(2),
        maxIterations: 20_000
    )

    // One read of a small picture, one buffer of the copy loop, and a run of buffers as in a video.
    let sizes: [(name: String, bytes: Int)] = [("24 KiB", 24 << 10), ("256 KiB", 256 << 10), ("8 MiB", 8 << 20)]
    for algorithm in DigestAlgorithm.allCases {
        for size in sizes {
            Benchmark("\(algorithm.rawValue) \(size.name)", configuration: configuration) { benchmark in
                let content = (0..<size.bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                let digest = StreamingDigest(algorithm)
                benchmark.startMeasurement()
                for _ in benchmark.scaledIterations {
                    content.withUnsafeBytes { all in
                        digest.reset()
                        var rest = all[...]
                        while !rest.isEmpty {
                            let piece = rest.prefix(256 << 10)
                            digest.update(UnsafeRawBufferPointer(rebasing: piece))
                            rest = rest.dropFirst(piece.count)
                        }
                        blackHole(digest.finish())
                    }
                }
                benchmark.stopMeasurement()
            }
        }
    }
}
