internal import MediaModel

/// What a walk over a dump tells, after the vetting.
protocol DumpVisitor: AnyObject {
    /// What follows belongs to a database; the name is nil in a plain dump.
    func enterDatabase(_ name: String?, line: Int) throws(SyncError)

    /// A plain dump made with `--create` says what its database was called.
    func nameDatabase(_ name: String) throws(SyncError)

    /// What follows belongs to no database.
    func leaveDatabase() throws(SyncError)

    func comment(_ comment: HeaderComment) throws(SyncError)

    /// The encoding of the text, as the dump sets it.
    func encoding(_ name: String) throws(SyncError)

    func statement(_ statement: DumpStatement) throws(SyncError)

    func refused(_ refusal: Refusal) throws(SyncError)

    func copyBegins(_ header: CopyHeader) throws(SyncError)

    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) throws(SyncError)

    func copyEnds(rows: Int) throws(SyncError)
}
