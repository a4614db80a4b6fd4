/// What a dump is, told from its content and never from its name.
package enum DumpKind: String, Sendable, CaseIterable {
    /// SQL text of one database, by `pg_dump` or by `pg_restore -f`.
    case plain
    /// SQL text of a whole server, by `pg_dumpall`.
    case cluster
    /// `pg_dump -Fc`.
    case custom
    /// `pg_dump -Ft`.
    case tar
    /// `pg_dump -Fd`.
    case directory

    /// Archives are read by the program `pg_restore`, text by mediasync itself.
    package var isArchive: Bool {
        switch self {
        case .plain, .cluster: false
        case .custom, .tar, .directory: true
        }
    }
}
