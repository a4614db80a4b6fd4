internal import CLinux
internal import Storage

/// Files that others keep open.
enum MediaFile {
    /// What the type is told by.
    static func prefix(_ descriptor: Int32) throws(ProcessingFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FormatSniffer.prefixBytes)
        var fault: FileFault?
        var count = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileFault) { count = try OpenFile.read(descriptor: descriptor, into: buffer, at: 0) } catch {
                fault = error
            }
        }
        if let fault { throw ProcessingFault(fault) }
        return Array(bytes.prefix(count))
    }

    /// The length of a file.
    static func size(_ descriptor: Int32) throws(ProcessingFault) -> Int64 {
        var stat = mds_stat()
        guard mds_fstat(descriptor, &stat) == 0 else {
            throw ProcessingFault(.unreadable, "a file cannot be looked at")
        }
        return stat.size
    }
}
