package import MediaModel

extension BytePath {
    /// The name as system calls take it: with a NUL behind it. Valid during the call.
    package func withEntryName<Result: ~Copyable, Failure: Error>(
        _ body: (EntryName) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes[...].withEntryName(body)
    }

    /// The last component as system calls take it, without a copy of the path.
    package func withLastEntryName<Result: ~Copyable, Failure: Error>(
        _ body: (EntryName) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try lastName.withEntryName(body)
    }

    /// The name a system call was given.
    package init(name: EntryName) {
        var length = 0
        while name[length] != 0 { length += 1 }
        self.init(bytes: Array(UnsafeRawBufferPointer(start: name, count: length)))
    }
}

extension ArraySlice<UInt8> {
    /// A part of a path as system calls take it: with a NUL behind it. Valid during the call.
    package func withEntryName<Result: ~Copyable, Failure: Error>(
        _ body: (EntryName) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // On the stack, where it is not longer than a kilobyte: a name is needed for every system call.
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { (storage) throws(Failure) in
            withUnsafeBytes { UnsafeMutableRawBufferPointer(storage).copyMemory(from: $0) }
            storage[count] = 0
            return try body(UnsafePointer(storage.baseAddress.unsafelyUnwrapped))
        }
    }
}
