package import MediaModel

/// What a restore is asked to do, and what it may use.
package struct RestoreOptions: Sendable {
    /// `-` is standard input.
    package var dump: BytePath
    /// Of a cluster the database to take; nil where the only one that is Mastodon's is meant.
    package var sourceDatabase: String?
    /// The database that Mastodon connects to: it is replaced.
    package var live: String
    /// Who owns the new one; nil: who owns the old one, else who connects.
    package var owner: String?
    /// Connections that load.
    package var jobs: Int
    /// Sessions on the live database are ended at the swap.
    package var force = false
    /// Only inspect.
    package var isDryRun = false
    /// Run against the stage before the swap, by `sh`.
    package var migrateCommand: String?
    /// Versions that the installed Mastodon knows; nil: those of the old database are asked.
    package var installedMigrations: Set<String>?
    /// Memory of all connections for sorting, in mebibytes.
    package var memoryMebibytes: Int
    /// Where standard input is kept while it is read.
    package var spoolDirectory: BytePath
    /// The process's environment: `PATH` for pg_restore, all of it for the migrate command.
    package var environment: [String: String] = [:]

    package init(
        dump: BytePath,
        live: String,
        jobs: Int,
        memoryMebibytes: Int,
        spoolDirectory: BytePath = BytePath("/var/tmp")
    ) {
        self.dump = dump
        self.live = live
        self.jobs = jobs
        self.memoryMebibytes = memoryMebibytes
        self.spoolDirectory = spoolDirectory
    }

    /// `maintenance_work_mem` of one connection: more than a gibibyte no longer helps.
    var memoryOfOne: Int { max(16, min(1024, memoryMebibytes / max(1, jobs))) }
}
