internal import CLinux
internal import Glibc

/// One end of a pipe or a socket. A plain value: its owner calls `close` once. Calls block.
package struct StreamEnd: Sendable, Equatable {
    package let raw: Int32

    package init(raw: Int32) {
        self.raw = raw
    }

    /// Waits a while for bytes, or for the end.
    package func isReadable(within milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0
    }

    /// Waits for bytes; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) -> Int {
        try check("read", mds_read(raw, buffer.baseAddress, buffer.count))
    }

    /// Writes all bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileFault) {
        var done = 0
        while done < bytes.count {
            done += try check("write", mds_write(raw, bytes.baseAddress.map { $0 + done }, bytes.count - done))
        }
    }

    package func close() {
        _ = mds_close(raw)
    }
}
