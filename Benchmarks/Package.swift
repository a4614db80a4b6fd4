// swift-tools-version: 6.2
import PackageDescription

// Micro-benchmarks, in a package of their own: who builds or tests mediasync neither fetches nor builds the harness.
//
// The interface between the modules of mediasync is `package`, which another package does not see, and a public facade
// would be interface that nobody but these files wants. So this package compiles the engines from the same sources
// (`Engines` is a link to ../Sources), as modules of its own. See docs/decisions/0003.

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func engine(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Engines/\(name)", swiftSettings: swiftSettings)
}

func benchmarks(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies + [.product(name: "Benchmark", package: "benchmark")],
        path: "Benchmarks/\(name)",
        swiftSettings: swiftSettings,
        plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
    )
}

let package = Package(
    name: "mediasync-benchmarks",
    dependencies: [
        // No traits: counting allocations needs packages that not every machine can fetch.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .target(name: "CXXHash", path: "Engines/CXXHash", exclude: ["kernel.h"]),
        .systemLibrary(name: "COpenSSL", path: "Engines/COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CZstd", path: "Engines/CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CArchive", path: "Engines/CArchive", pkgConfig: "libarchive"),
        .target(name: "CLoader", path: "Engines/CLoader"),
        .target(name: "CGzip", dependencies: ["CLoader"], path: "Engines/CGzip", exclude: ["inflate.h"]),
        .systemLibrary(name: "CCurl", path: "Engines/CCurl", pkgConfig: "libcurl"),
        engine("MediaModel", []),
        engine("Fetching", ["MediaModel", "Pacing", "CCurl"]),
        engine("Checksums", ["MediaModel", "CXXHash", "COpenSSL"]),
        .target(name: "CLinux", path: "Engines/CLinux"),
        engine("Storage", ["MediaModel", "CLinux"]),
        engine("Archives", ["MediaModel", "CArchive", "CGzip", "CZstd"]),
        engine("Programs", ["MediaModel", "CLinux"]),
        engine("Dumps", ["MediaModel", "Pacing", "Storage", "Archives", "Programs"]),
        engine("Filtering", ["MediaModel"]),
        engine("Running", ["MediaModel"]),
        engine("Wire", ["MediaModel"]),
        engine(
            "Copying",
            [
                "MediaModel", "Pacing", "Running", "Checksums", "Storage", "Filtering", "Archives", "Delta", "Wire",
                "Programs",
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        engine("Pacing", ["MediaModel", .product(name: "DequeModule", package: "swift-collections")]),
        .systemLibrary(name: "CPostgres", path: "Engines/CPostgres", pkgConfig: "libpq"),
        engine("Postgres", ["MediaModel", "CPostgres"]),
        engine("Catalog", ["MediaModel", "Postgres"]),
        // A program without the harness: `scripts/bench cleanup` runs it on a database of its own.
        .executableTarget(
            name: "CatalogScan",
            dependencies: ["Catalog", "Postgres"],
            path: "Benchmarks/CatalogScan",
            swiftSettings: swiftSettings
        ),
        .target(name: "CDelta", path: "Engines/CDelta"),
        engine("Delta", ["MediaModel", "Checksums", "CDelta"]),
        // For `scripts/bench delta`, without the harness.
        .executableTarget(
            name: "DeltaRate",
            dependencies: ["Delta"],
            path: "Benchmarks/DeltaRate",
            swiftSettings: swiftSettings
        ),
        // The same for `scripts/bench refresh rows`.
        .executableTarget(
            name: "RowLoad",
            dependencies: ["Catalog", "Postgres"],
            path: "Benchmarks/RowLoad",
            swiftSettings: swiftSettings
        ),
        // A whole process for `scripts/bench fetch`; it needs no harness.
        .executableTarget(
            name: "FetchLoad",
            dependencies: ["Fetching", "Pacing"],
            path: "Benchmarks/FetchLoad",
            swiftSettings: swiftSettings
        ),
        benchmarks("CopyingBenchmarks", ["Copying", "Running", "MediaModel", "Storage"]),
        benchmarks("DigestBenchmarks", ["MediaModel", "Checksums"]),
        benchmarks("DumpBenchmarks", ["Dumps", "MediaModel"]),
        benchmarks("QueueBenchmarks", ["Pacing"]),
    ],
    swiftLanguageModes: [.v6]
)
