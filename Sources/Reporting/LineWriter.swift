internal import CLinux
internal import Glibc
package import MediaModel
internal import Synchronization

/// Where bytes of a report go.
package protocol ByteOutput: Sendable {
    /// Writes all bytes, or nothing more once the output failed. Never throws: ask `failure`.
    func write(_ bytes: [UInt8])
    /// Why nothing is written any more.
    var failure: SyncError? { get }
}

extension ByteOutput {
    /// Writes text.
    package func write(_ text: String) {
        write(Array(text.utf8))
    }
}

/// Writes whole pieces to a file descriptor: short writes are continued, a full pipe of a non-blocking descriptor is
/// waited for, and after the first error (the reader went away, the disk is full) everything is dropped and the error is
/// kept. One piece is never mixed with another's: a `Mutex` is held while it is written.
///
/// SIGPIPE must be ignored by the process, or a closed pipe kills it.
package final class LineWriter: ByteOutput {
    private let descriptor: Int32
    private let failed = Mutex<SyncError?>(nil)

    /// The descriptor stays the caller's.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    package var failure: SyncError? { failed.withLock { $0 } }

    /// True when the reader went away: no error of ours, but there is nobody to write for.
    package var outputClosed: Bool { failure?.code == .interrupted }

    package func write(_ bytes: [UInt8]) {
        failed.withLock { failed in
            guard failed == nil else { return }
            failed = writeAll(bytes)
        }
    }

    private func writeAll(_ bytes: [UInt8]) -> SyncError? {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let written = mds_write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                if written >= 0 {
                    offset += Int(written)
                } else if written == -Int(EAGAIN) {
                    waitUntilWritable()
                } else {
                    return Self.error(number: Int32(-written))
                }
            }
            return nil
        }
    }

    private func waitUntilWritable() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }

    private static func error(number: Int32) -> SyncError {
        let name = String(cString: mds_errno_name(number))
        if number == EPIPE {
            return SyncError(.interrupted, "the reader of the output went away", why: "\(name), write")
        }
        return SyncError(.unexpected, "could not write the output", why: "\(name), write")
    }
}
