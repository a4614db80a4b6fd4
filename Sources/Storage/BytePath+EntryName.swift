package import MediaModel

extension BytePath {
    /// The name as system calls take it: with a NUL behind it. Valid during the call.
    package func withEntryName<Result: ~Copyable, Failure: Error>(
        _ body: (EntryName) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let storage = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        defer { storage.deallocate() }
        bytes.withUnsafeBytes {
            UnsafeMutableRawPointer(storage).copyMemory(
                from: $0.baseAddress ?? UnsafeRawPointer(storage),
                byteCount: $0.count
            )
        }
        storage[bytes.count] = 0
        return try body(storage)
    }

    /// The name a system call was given.
    package init(name: EntryName) {
        var length = 0
        while name[length] != 0 { length += 1 }
        self.init(bytes: Array(UnsafeRawBufferPointer(start: name, count: length)))
    }
}
