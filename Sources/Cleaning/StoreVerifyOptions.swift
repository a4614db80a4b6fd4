package import Catalog

/// What `verify --store` compares.
package struct StoreVerifyOptions: Sendable {
    package var kinds = Set(MediaKind.allCases)
    /// Nil for both halves.
    package var remote: Bool?
    /// Only what came to this server within these days.
    package var days: Double?
    /// Threads that look at files; by default as many as pay off while a disk is waited for.
    package var jobs: Int?
    package var reportsEveryItem = false

    package init() {}
}
