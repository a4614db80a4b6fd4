// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is compiled the same way: Swift 6 mode, warnings are errors, and the upcoming features that make
/// imports and existentials explicit.
let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A target of the package. The dependencies listed here are the only modules its files may import
/// (`scripts/check-imports` compares; SwiftPM does not).
func module(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let sqlite = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "mediasync",
    products: [
        .executable(name: "mediasync", targets: ["Mediasync"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C foundations: module maps and static inline shims; one Swift owner each.
        .target(name: "CLinux"),
        .target(name: "CXXHash", exclude: ["kernel.h"]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CRedis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev", "zlib1g-dev"])]),

        // Values only.
        module("MediaModel", []),
        // Mastodon's own settings.
        module("Settings", []),
        // When may the next piece of work start.
        module("Pacing", ["MediaModel", collections]),
        // What a run is: its control, its engine, its result.
        module("Running", ["MediaModel"]),
        // Adapters: each owns one outside thing.
        module("Checksums", ["MediaModel", "CXXHash", "COpenSSL"]),
        module("Storage", ["MediaModel", "CLinux"]),
        module("Postgres", ["MediaModel", "CPostgres"]),
        module("Archives", ["MediaModel", "CArchive"]),
        // Strangers' servers, by HTTP.
        module("Fetching", ["MediaModel", "Pacing", "CCurl"]),
        // What other servers say about their accounts.
        module("ActivityPub", ["MediaModel", "Fetching", "COpenSSL"]),
        // Mastodon's cache in Redis.
        module("Caches", ["MediaModel", "CRedis"]),
        // Which names take part.
        module("Filtering", ["MediaModel"]),
        // What a dump of a database says, without a database.
        module("Dumps", ["MediaModel", "Pacing", "Storage", "Archives"]),
        // What Mastodon believes is there: its tables and paths.
        module("Catalog", ["MediaModel", "Postgres"]),
        // Engines: decide and order work.
        module("Copying", ["MediaModel", "Pacing", "Running", "Checksums", "Storage", "Filtering"]),
        module("Restoring", ["MediaModel", "Pacing", "Running", "Storage", "Postgres", "Archives", "Dumps"]),
        module("Cleaning", ["MediaModel", "Pacing", "Running", "Storage", "Postgres", "Catalog"]),
        // Runs and their state; events for people and machines.
        module("Pipeline", ["MediaModel", sqlite]),
        module("Reporting", ["MediaModel", "CLinux"]),
        .executableTarget(
            name: "Mediasync",
            dependencies: [
                "MediaModel", "Pacing", "Running", "Settings", "Checksums", "Storage", "Postgres", "Filtering",
                "Catalog", "Copying", "Restoring", "Cleaning", "Pipeline", "Reporting", argumentParser, unixSignals,
            ],
            swiftSettings: swiftSettings
        ),

        // What tests share.
        module("MediasyncTesting", ["MediaModel", "Pacing", "CLinux"]),
        tests("MediaModelTests", ["MediaModel", "MediasyncTesting"]),
        tests("FilteringTests", ["Filtering", "MediaModel", "MediasyncTesting"]),
        tests("PipelineTests", ["Pipeline", "MediaModel", "MediasyncTesting", sqlite]),
        tests("ReportingTests", ["Reporting", "MediaModel", "MediasyncTesting"], exclude: ["Golden"]),
        tests("SettingsTests", ["Settings"]),
        tests("PostgresTests", ["Postgres", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("ChecksumsTests", ["Checksums", "MediaModel"]),
        tests("PacingTests", ["Pacing", "MediasyncTesting"]),
        tests("FetchingTests", ["Fetching", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("ActivityPubTests", ["ActivityPub", "Fetching", "MediaModel", "MediasyncTesting"]),
        tests("CachesTests", ["Caches", "MediaModel", "MediasyncTesting"]),
        tests("StorageTests", ["Storage", "MediaModel", "MediasyncTesting"]),
        tests(
            "CopyingTests",
            ["Copying", "Running", "Checksums", "Storage", "Pacing", "Filtering", "MediaModel", "MediasyncTesting"]
        ),
        tests("ArchivesTests", ["Archives", "MediaModel", "MediasyncTesting"]),
        tests("DumpsTests", ["Dumps", "Archives", "Storage", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("CatalogTests", ["Catalog", "Postgres", "MediaModel", "MediasyncTesting"]),
        tests(
            "CleaningTests",
            ["Cleaning", "Catalog", "Running", "Pacing", "Storage", "Postgres", "MediaModel", "MediasyncTesting"]
        ),
        tests("RestoringTests", ["Restoring", "Running", "Postgres", "Dumps", "MediaModel", "MediasyncTesting"]),
        // The built binary, from outside.
        tests("CommandTests", ["MediaModel", "MediasyncTesting"]),
        tests("FaultTests", ["MediaModel", "MediasyncTesting"]),
        tests("RestoreTests", ["MediaModel", "MediasyncTesting"]),
    ],
    swiftLanguageModes: [.v6]
)
