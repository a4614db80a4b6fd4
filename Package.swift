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
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
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
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C foundations: module maps and static inline shims; one Swift owner each.
        .target(name: "CLinux"),
        .target(name: "CXXHash", exclude: ["kernel.h"]),
        .target(name: "CDelta"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CPixels", exclude: ["resize.h", "resize_kernel.h"]),
        .target(
            name: "CJPEG",
            exclude: ["codes.h", "cosine_kernel.h", "failing.h", "units_kernel.h"],
            linkerSettings: [.linkedLibrary("jpeg")]
        ),
        // Libraries that are opened when they are first needed.
        .target(name: "CLoader"),
        // libvips brings a hundred libraries.
        .target(name: "CVips", dependencies: ["CLoader"]),
        // libdeflate and libwebp come with it.
        .target(name: "CPNG", dependencies: ["CLoader"], exclude: ["deflate.h", "paeth.h"]),
        .target(name: "CWebP", dependencies: ["CLoader"]),
        // ISA-L is used where it is there.
        .target(name: "CGzip", dependencies: ["CLoader"], exclude: ["inflate.h"]),
        .systemLibrary(name: "CRedis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev", "zlib1g-dev"])]),

        // Values only.
        module("MediaModel", []),
        // What two ends of a copy between machines say to each other.
        module("Wire", ["MediaModel"]),
        // Mastodon's own settings.
        module("Settings", ["MediaModel"]),
        // Options that are set beforehand.
        module("Presets", ["MediaModel", yaml]),
        // When may the next piece of work start.
        module("Pacing", ["MediaModel", collections]),
        // What a run is: its control, its engine, its result.
        module("Running", ["MediaModel"]),
        // Adapters: each owns one outside thing.
        module("Checksums", ["MediaModel", "CXXHash", "COpenSSL"]),
        module("Storage", ["MediaModel", "CLinux"]),
        module("Postgres", ["MediaModel", "CPostgres"]),
        module("Archives", ["MediaModel", "CArchive", "CGzip", "CZstd"]),
        module("Programs", ["MediaModel", "CLinux"]),
        // Strangers' servers, by HTTP.
        module("Fetching", ["MediaModel", "Pacing", "CCurl"]),
        // What becomes of fetched bytes.
        module(
            "Imaging",
            [
                "MediaModel", "Pacing", "Storage", "Programs", "CLinux", "CPixels", "CJPEG", "CPNG", "CWebP", "CVips",
            ]
        ),
        // What other servers say about their accounts.
        module("ActivityPub", ["MediaModel", "Fetching", "COpenSSL"]),
        // Mastodon's cache in Redis.
        module("Caches", ["MediaModel", "CRedis"]),
        // Which names take part.
        module("Filtering", ["MediaModel"]),
        // What a dump of a database says, without a database.
        module("Dumps", ["MediaModel", "Pacing", "Storage", "Archives", "Programs"]),
        // Signature, delta, patch.
        module("Delta", ["MediaModel", "Checksums", "CDelta"]),
        // What Mastodon believes is there: its tables and paths.
        module("Catalog", ["MediaModel", "Postgres"]),
        // How rows and files change together.
        module("Committing", ["MediaModel", "Storage", "Postgres", "Catalog"]),
        // Engines: decide and order work.
        module(
            "Copying",
            [
                "MediaModel", "Pacing", "Running", "Checksums", "Storage", "Filtering", "Archives", "Delta", "Wire",
                "Programs", collections,
            ]
        ),
        module(
            "Restoring",
            ["MediaModel", "Pacing", "Running", "Storage", "Postgres", "Archives", "Programs", "Dumps"]
        ),
        module(
            "Cleaning",
            ["MediaModel", "Pacing", "Running", "Storage", "Postgres", "Catalog", "Committing", "Imaging"]
        ),
        module(
            "Refreshing",
            [
                "MediaModel", "Pacing", "Running", "Storage", "Postgres", "Catalog", "Committing", "Fetching",
                "ActivityPub", "Imaging",
            ]
        ),
        // A server's exports: made, read, checked.
        module(
            "Backups",
            [
                "MediaModel", "Pacing", "Running", "Settings", "Checksums", "Storage", "Archives", "Programs", "Caches",
                "Dumps",
            ]
        ),
        // What a server has, and whether it will do.
        module("Diagnosing", ["MediaModel", "Pacing", "Running", "CLinux", "Storage", "Postgres", "Dumps", "Catalog"]),
        // Jobs for systemd and cron, as text.
        module("Scheduling", ["MediaModel"]),
        // Runs and their state; events for people and machines.
        module("Pipeline", ["MediaModel", "Pacing", "Running", "Programs", sqlite]),
        module("Reporting", ["MediaModel", "CLinux"]),
        .executableTarget(
            name: "Mediasync",
            dependencies: [
                "MediaModel", "Pacing", "Running", "Settings", "Presets", "Checksums", "Storage", "Postgres",
                "Filtering",
                "Catalog", "Copying", "Wire", "Restoring", "Cleaning", "Refreshing", "Backups", "Diagnosing",
                "Fetching",
                "Imaging", "Caches", "Programs", "Scheduling", "Pipeline", "Reporting", argumentParser, unixSignals,
            ],
            swiftSettings: swiftSettings
        ),

        // What tests share.
        module("MediasyncTesting", ["MediaModel", "Pacing", "CLinux"]),
        tests("MediaModelTests", ["MediaModel", "MediasyncTesting"]),
        tests("FilteringTests", ["Filtering", "MediaModel", "MediasyncTesting"]),
        tests("PipelineTests", ["Pipeline", "Running", "Programs", "MediaModel", "MediasyncTesting", sqlite]),
        tests("SchedulingTests", ["Scheduling", "MediaModel", "MediasyncTesting"]),
        tests("ReportingTests", ["Reporting", "MediaModel", "MediasyncTesting"], exclude: ["Golden"]),
        tests("PresetsTests", ["Presets", "MediaModel"]),
        tests("SettingsTests", ["Settings", "MediaModel"]),
        tests("PostgresTests", ["Postgres", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("ChecksumsTests", ["Checksums", "MediaModel"]),
        tests("DeltaTests", ["Delta", "Checksums", "MediaModel", "MediasyncTesting"]),
        tests("PacingTests", ["Pacing", "MediasyncTesting"]),
        tests("FetchingTests", ["Fetching", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("ActivityPubTests", ["ActivityPub", "Fetching", "MediaModel", "MediasyncTesting"]),
        tests("CachesTests", ["Caches", "MediaModel", "MediasyncTesting"]),
        tests("WireTests", ["Wire", "MediaModel", "MediasyncTesting"]),
        tests("StorageTests", ["Storage", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests(
            "CopyingTests",
            [
                "Copying", "Running", "Checksums", "Storage", "Pacing", "Programs", "Filtering", "Archives", "Delta",
                "Wire", "MediaModel", "MediasyncTesting",
            ]
        ),
        tests("ImagingTests", ["Imaging", "MediaModel", "MediasyncTesting"]),
        tests("ProgramsTests", ["Programs", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("ArchivesTests", ["Archives", "MediaModel", "MediasyncTesting"]),
        tests("DumpsTests", ["Dumps", "Archives", "Storage", "Pacing", "MediaModel", "MediasyncTesting"]),
        tests("CatalogTests", ["Catalog", "Postgres", "MediaModel", "MediasyncTesting"]),
        tests(
            "CleaningTests",
            [
                "Cleaning", "Catalog", "Running", "Pacing", "Storage", "Postgres", "Imaging", "MediaModel",
                "MediasyncTesting",
            ]
        ),
        tests(
            "RefreshingTests",
            [
                "Refreshing", "Fetching", "Imaging", "Catalog", "Running", "Pacing", "Storage", "Postgres",
                "MediaModel",
                "MediasyncTesting",
            ]
        ),
        tests(
            "BackupsTests",
            ["Backups", "Running", "Pacing", "Settings", "Storage", "MediaModel", "MediasyncTesting"]
        ),
        tests("DiagnosingTests", ["Diagnosing", "Dumps", "Storage", "MediaModel", "MediasyncTesting"]),
        tests(
            "RestoringTests",
            ["Restoring", "Running", "Pacing", "Postgres", "Dumps", "MediaModel", "MediasyncTesting"]
        ),
        // The built binary, from outside.
        tests("CommandTests", ["MediaModel", "MediasyncTesting"]),
        tests("FaultTests", ["MediaModel", "MediasyncTesting"]),
        tests("RestoreTests", ["MediaModel", "MediasyncTesting"]),
        tests("ExportTests", ["Backups", "Settings", "MediaModel", "MediasyncTesting"]),
    ],
    swiftLanguageModes: [.v6]
)
