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
    /// Also open each file: are its first bytes of the type that the row says?
    package var checksTypes = false
    /// Also list the store: files that no row names are told, where they are older than this moment (seconds since 1970).
    package var unnamedBefore: Int64?
    package var reportsEveryItem = false

    /// What is younger may be a file whose row comes in a moment.
    package static let youngSeconds: Int64 = 3600

    /// Whether a file that is there, and as its row says, has been judged by that, and is not told.
    var looksOnly: Bool { !checksTypes && !reportsEveryItem }

    package init() {}
}
