internal import CLinux
internal import Glibc
package import MediaModel

/// A part of a directory's listing as the kernel wrote it. Names are read in place; nothing is allocated for an entry.
/// One owner: a worker keeps one and uses it again for each directory.
package final class ListingBuffer {
    /// Bytes; some 700 entries of a media tree.
    package static let capacity = 32 << 10

    let bytes: UnsafeMutableRawPointer
    var filled = 0

    package init() {
        bytes = .allocate(byteCount: Self.capacity, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }

    /// One entry of the part: valid until the buffer is filled again.
    package struct Entry {
        package let name: EntryName
        /// Bytes of the name, without NUL.
        package let length: Int
        /// Nil where the file system does not tell (DT_UNKNOWN).
        package let kind: EntryKind?

        package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: name, count: length) }
    }

    /// Walks the entries of the part but `.` and `..`. The cursor starts at 0 and is moved on; nil at the end.
    @inline(__always)
    package func next(_ cursor: inout Int) -> Entry? {
        Self.next(in: UnsafeRawPointer(bytes), upTo: filled, &cursor)
    }

    /// Layout of a record (`getdents64(2)`): 8 bytes inode, 8 bytes position, 2 bytes record length, 1 byte type, the name,
    /// a NUL.
    @inline(__always)
    private static func next(in bytes: UnsafeRawPointer, upTo filled: Int, _ cursor: inout Int) -> Entry? {
        while cursor < filled {
            let record = bytes + cursor
            let length = Int(record.load(fromByteOffset: 16, as: UInt16.self))
            cursor += length
            let name = (record + 19).assumingMemoryBound(to: CChar.self)
            if name[0] == 0x2E, name[1] == 0 || (name[1] == 0x2E && name[2] == 0) { continue }
            let kind = EntryKind(directoryType: record.load(fromByteOffset: 18, as: UInt8.self))
            return Entry(name: name, length: strlen(name), kind: kind)
        }
        return nil
    }

    /// Bytes of the part from a cursor on.
    package func remaining(from cursor: Int) -> Int { filled - cursor }

    /// Copies about `count` bytes of records, at least one record, and moves the cursor behind them.
    package func slice(_ cursor: inout Int, bytes count: Int) -> Slice {
        let start = cursor
        while cursor < filled, cursor - start < count {
            cursor += Int((bytes + cursor).load(fromByteOffset: 16, as: UInt16.self))
        }
        return Slice(copying: UnsafeRawBufferPointer(start: bytes + start, count: cursor - start))
    }

    /// Records that were copied out of a buffer: never changed, freed with its last owner.
    ///
    /// Sendable without checks: one owner writes in `init`, afterwards everybody only reads.
    package final class Slice: @unchecked Sendable {
        private let bytes: UnsafeMutableRawPointer
        private let count: Int

        init(copying records: UnsafeRawBufferPointer) {
            count = records.count
            bytes = .allocate(byteCount: max(1, count), alignment: 16)
            if let base = records.baseAddress { bytes.copyMemory(from: base, byteCount: count) }
        }

        deinit {
            bytes.deallocate()
        }

        /// As `ListingBuffer.next`; the entry is valid while the slice is.
        package func next(_ cursor: inout Int) -> Entry? {
            ListingBuffer.next(in: UnsafeRawPointer(bytes), upTo: count, &cursor)
        }

        /// Bytes from a cursor on.
        package func remaining(from cursor: Int) -> Int { count - cursor }
    }
}
