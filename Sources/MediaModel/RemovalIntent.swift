/// What a run is about to do to one row: take its files' names out of it, and remove the files once that is committed. It
/// is written down before, so that a run that dies in between leaves no file that nobody knows.
package struct RemovalIntent: Sendable, Equatable {
    /// The row's table.
    package var table: String
    package var id: Int64
    /// The files that are removed once the row does not name them any more.
    package var paths: [BytePath]

    package init(table: String, id: Int64, paths: [BytePath]) {
        self.table = table
        self.id = id
        self.paths = paths
    }
}

/// Keeps intents until they are done. What `open` returned from survives a crash of the process and of the machine. Calls
/// block: for threads of our own.
package protocol IntentLog: Sendable {
    /// Writes intents down under a number that closes them.
    func open(_ intents: [RemovalIntent]) throws(SyncError) -> Int64

    /// Everything of this number is done.
    func close(_ number: Int64) throws(SyncError)

    /// The intents that a run left open, some at a time, lowest number first.
    /// - Parameter after: the number to read on after.
    func pending(after number: Int64) throws(SyncError) -> (number: Int64, intents: [RemovalIntent])?
}
