package import Archives
package import MediaModel
internal import Storage
internal import Synchronization

/// Reads a dump's file from its beginning, at a position of its own: passes do not disturb each other.
package final class FileReader: ByteSource {
    private let descriptor: Int32
    private let path: BytePath
    private var position: Int64 = 0

    /// - Parameter descriptor: kept open by somebody else.
    init(descriptor: Int32, path: BytePath) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Bytes read so far.
    var bytesRead: Int64 { position }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        do throws(FileFault) {
            let count = try OpenFile.read(descriptor: descriptor, into: buffer, at: position)
            position += Int64(count)
            return count
        } catch {
            var fault = error.syncError("cannot read the dump \(path)")
            fault.code = fault.code == .item ? .unusable : fault.code
            throw fault
        }
    }
}
