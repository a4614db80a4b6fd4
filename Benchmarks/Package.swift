// swift-tools-version: 6.2
import PackageDescription

// Micro-benchmarks, in a package of their own: who builds or uses mediasync does not fetch or build the benchmark harness.
//
// The engines keep their interface `package`: it is for this project, not for others. A second package does not see such
// names, and a public facade would be interface that nobody but these files wants. So these targets are compiled as part of
// the package they measure, under the name SwiftPM gives it (that of its directory). See docs/decisions/0003.
let directory = Context.packageDirectory.split(separator: "/").dropLast().last.map { String($0) } ?? "mediasync"
let measuredPackage = String(
    directory.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
)

func benchmarks(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            .product(name: "Benchmark", package: "benchmark"),
            .product(name: "MediasyncEngines", package: "mediasync"),
        ],
        path: "Benchmarks/\(name)",
        swiftSettings: [.unsafeFlags(["-package-name", measuredPackage])],
        plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
    )
}

let package = Package(
    name: "mediasync-benchmarks",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(name: "mediasync", path: ".."),
        // No traits: counting allocations needs packages that not every machine can fetch.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        benchmarks("DigestBenchmarks")
    ],
    swiftLanguageModes: [.v6]
)
