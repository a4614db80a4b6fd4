package import MediaModel

/// The installed `pg_restore`.
package struct RestoreProgram: Sendable {
    package let path: BytePath
    /// Major version of PostgreSQL, 15.
    package let major: Int

    package init(path: BytePath, major: Int) {
        self.path = path
        self.major = major
    }

    /// The newest below `/usr/lib/postgresql`, else the one in `searchPath`.
    /// - Parameter searchPath: the environment's PATH.
    package static func find(searchPath: String?) throws(SyncError) -> RestoreProgram {
        throw SyncError(.unexpected, "not built")
    }
}
