package import MediaModel

/// Takes the elements of a dump in their order. Called on the thread that reads, one call at a time; a call that waits
/// holds the reading back. What it throws ends the reading.
package protocol DumpElementSink: AnyObject {
    /// A statement, with what it is for. Statements that are left out come as well, to be counted.
    func statement(_ statement: DumpStatement) throws(SyncError)

    /// Rows of a table begin.
    func copyBegins(_ header: CopyHeader) throws(SyncError)

    /// Whole rows, each with its line feed, as many as were at hand. The bytes are valid during the call only.
    /// - Parameters:
    ///   - rows: how many.
    ///   - line: the line in the dump of the first one.
    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) throws(SyncError)

    /// The block was closed by its `\.`.
    /// - Parameter rows: how many there were.
    func copyEnds(rows: Int) throws(SyncError)
}
