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

    /// Writes all bytes of several arrays, one behind the other, in as few calls as the kernel takes them.
    package func write(_ pieces: [[UInt8]]) throws(FileFault) {
        var next = 0
        while next < pieces.count {
            let group = pieces[next..<min(pieces.count, next + Self.piecesMax)]
            next = group.endIndex
            var vectors: [iovec] = []
            vectors.reserveCapacity(group.count)
            if let fault = write(group, behind: &vectors) { throw fault }
        }
    }

    /// More than the kernel takes at once where they are large; where they are small it matters little.
    private static let piecesMax = 16

    /// Writes what the vectors name, and then the pieces: each is held where it lies until all are written.
    private func write(_ pieces: ArraySlice<[UInt8]>, behind vectors: inout [iovec]) -> FileFault? {
        guard let first = pieces.first else {
            do throws(FileFault) {
                try write(all: &vectors)
                return nil
            } catch { return error }
        }
        return first.withUnsafeBytes { bytes in
            vectors.append(
                iovec(iov_base: UnsafeMutableRawBufferPointer(mutating: bytes).baseAddress, iov_len: bytes.count)
            )
            return write(pieces.dropFirst(), behind: &vectors)
        }
    }

    private func write(all vectors: inout [iovec]) throws(FileFault) {
        var first = 0
        while first < vectors.count {
            var result: Int
            repeat {
                result = vectors[first...].withUnsafeBufferPointer { writev(raw, $0.baseAddress, Int32($0.count)) }
            } while result < 0 && errno == EINTR
            var done = try check("write", result < 0 ? Int(-errno) : result)
            while first < vectors.count, done >= vectors[first].iov_len {
                done -= vectors[first].iov_len
                first += 1
            }
            guard done > 0 else { continue }
            vectors[first].iov_base = vectors[first].iov_base.map { $0 + done }
            vectors[first].iov_len -= done
        }
    }

    package func close() {
        _ = mds_close(raw)
    }
}
