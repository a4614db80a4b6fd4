internal import MediaModel

/// What a scanner finds in the text of a dump, in its order.
protocol ScanHandler: AnyObject {
    /// A comment between statements, with its dashes, cut to 4 KiB.
    func comment(_ text: [UInt8], line: Int) throws(SyncError)

    /// A command for psql between statements, from its backslash to the end of its line, cut to 4 KiB.
    /// - Parameter isCut: the text ended before its line did.
    func metaCommand(_ text: [UInt8], line: Int, isCut: Bool) throws(SyncError)

    /// A statement without its `;`, and whether rows of COPY follow on the next line.
    func statement(_ text: [UInt8], line: Int) throws(SyncError) -> Bool

    /// A backslash inside a statement, which psql would take for a command.
    func strayCommand(line: Int) throws(SyncError)

    /// Whole rows, each with its line feed; valid during the call.
    func rows(_ bytes: UnsafeRawBufferPointer, count: Int, line: Int) throws(SyncError)

    /// The `\.` of a block.
    func rowsEnd(line: Int) throws(SyncError)
}
