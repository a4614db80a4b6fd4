internal import MediaModel
internal import Storage

/// A stream put into a file, because a dump is read more than once. The file has no name: nothing is left behind, however
/// the process ends.
enum DumpSpool {
    private static let bufferBytes = 1 << 20

    /// Reads a stream to its end. Stops when its task is cancelled.
    static func fill(from stream: borrowing OpenFile, directory path: BytePath) throws(SyncError) -> OpenFile {
        let target = try makeFile(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            if Task.isCancelled { throw DumpError.stopped }
            let count: Int
            do throws(FileFault) { count = try stream.read(into: buffer) } catch {
                throw error.syncError("cannot read the dump from standard input")
            }
            if count == 0 { break }
            do throws(FileFault) {
                try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch { throw Self.error(error, path) }
        }
        do throws(FileFault) { return try target.reopenedForReading() } catch { throw Self.error(error, path) }
    }

    /// A new file without a name, for writing.
    static func makeFile(_ path: BytePath) throws(SyncError) -> OpenFile {
        do throws(FileFault) {
            let directory = try HeldDirectory.openRoot(path)
            defer { directory.close() }
            if let file = try directory.createUnnamedFile(mode: 0o600) { return file }
            // Two runs in one directory differ by the random part; a name that is taken is an error, never followed.
            let name = BytePath(".mediasync-dump-\(UInt64.random(in: 0 ... .max))")
            return try name.withEntryName { (name) throws(FileFault) in
                let file = try directory.createFile(name, mode: 0o600)
                try directory.removeFile(name)
                return file
            }
        } catch { throw Self.error(error, path) }
    }

    private static func error(_ fault: FileFault, _ path: BytePath) -> SyncError {
        var error = fault.syncError("cannot keep the dump in \(path) while it is read")
        error.hint = "free space there, or save the dump to a file and name the file"
        if error.code == .item { error.code = .unusable }
        return error
    }
}
