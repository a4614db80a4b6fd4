internal import Dumps
internal import Synchronization

/// One table of the dump while it is loaded: written by the reader and the connections, read by progress and verification.
final class TableLoad: Sendable {
    let table: TableName
    /// The COPY statement; nil where rows come as INSERTs.
    let header: CopyHeader?
    /// Rows and bytes that were read from the dump.
    let rowsRead = Atomic(0)
    let bytesRead = Atomic(0)
    /// Rows that the server says it took.
    let rowsLoaded = Atomic(0)

    init(table: TableName, header: CopyHeader?) {
        self.table = table
        self.header = header
    }
}
