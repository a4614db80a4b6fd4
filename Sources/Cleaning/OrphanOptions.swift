package import MediaModel

/// What `cleanup --orphans` looks at, and how much it removes at most.
package struct OrphanOptions: Sendable {
    /// Only below this directory.
    package var prefix = BytePath.root
    /// Only paths behind this one, byte by byte.
    package var startAfter: BytePath?
    package var limit = CleanupOptions.Limit.percent(50)
    package var dryRun = false
    package var reportsEveryItem = false
    /// Threads, each with a connection of its own.
    package var jobs = 4

    package init() {}
}
