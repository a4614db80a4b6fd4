internal import Glibc

/// Gathers a body on its way to a file: libcurl hands it over in pieces of 16 KiB at most, and a call of the system for each costs more than
/// the copy. One owner, the slot; its memory is made with the first body.
struct BodyBuffer: ~Copyable {
    static let capacity = 64 * 1024

    private var memory: UnsafeMutableRawPointer?
    private var count = 0

    init() {}

    deinit { memory?.deallocate() }

    /// Forgets what was not written.
    mutating func clear() { count = 0 }

    /// Takes bytes, and writes what there is no room for.
    /// - Parameter offset: where they belong in the file; they follow those that were taken before.
    mutating func take(_ bytes: UnsafeRawBufferPointer, for descriptor: Int32, at offset: Int64) -> FetchFault? {
        if count + bytes.count > Self.capacity, let fault = flush(to: descriptor, end: offset) { return fault }
        guard bytes.count < Self.capacity, let base = bytes.baseAddress else {
            return Self.write(bytes, to: descriptor, at: offset)
        }
        let memory = memory ?? .allocate(byteCount: Self.capacity, alignment: 16)
        self.memory = memory
        (memory + count).copyMemory(from: base, byteCount: bytes.count)
        count += bytes.count
        return nil
    }

    /// Writes what was gathered.
    /// - Parameter end: where it ends in the file.
    mutating func flush(to descriptor: Int32, end: Int64) -> FetchFault? {
        defer { count = 0 }
        guard count > 0 else { return nil }
        return Self.write(UnsafeRawBufferPointer(start: memory, count: count), to: descriptor, at: end - Int64(count))
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int64) -> FetchFault? {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return FetchSlot.writeFault(errno) }
            done += count
        }
        return nil
    }
}
