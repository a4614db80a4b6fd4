package import MediaModel

extension BytePath {
    /// The name as system calls take it: with a NUL behind it. Valid during the call.
    package func withEntryName<Result: ~Copyable, Failure: Error>(
        _ body: (EntryName) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // On the stack, where it is not longer than a kilobyte: a name is needed for every system call.
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { (storage) throws(Failure) in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(storage).copyMemory(from: $0) }
            storage[bytes.count] = 0
            return try body(UnsafePointer(storage.baseAddress.unsafelyUnwrapped))
        }
    }

    /// The name a system call was given.
    package init(name: EntryName) {
        var length = 0
        while name[length] != 0 { length += 1 }
        self.init(bytes: Array(UnsafeRawBufferPointer(start: name, count: length)))
    }
}
