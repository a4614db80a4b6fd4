internal import Archives
internal import MediaModel
internal import Storage
internal import Synchronization

/// How far a file was read: written by the thread that reads, asked by the one that reports.
final class ReadPosition: Sendable {
    private let value = Atomic<Int64>(0)

    var bytes: Int64 { value.load(ordering: .relaxed) }

    func add(_ count: Int) {
        value.wrappingAdd(Int64(count), ordering: .relaxed)
    }
}

/// Reads a dump's file from its beginning, at a position of its own: passes do not disturb each other.
final class FileReader: ByteSource {
    private let descriptor: Int32
    private let path: BytePath
    private let owner: DumpFile?
    let position = ReadPosition()

    /// - Parameters:
    ///   - descriptor: kept open by somebody else.
    ///   - owner: who keeps it open, where that is not the caller.
    init(descriptor: Int32, path: BytePath, owner: DumpFile? = nil) {
        self.descriptor = descriptor
        self.path = path
        self.owner = owner
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SyncError) -> Int {
        do throws(FileFault) {
            let count = try OpenFile.read(descriptor: descriptor, into: buffer, at: position.bytes)
            position.add(count)
            return count
        } catch {
            var fault = error.syncError("cannot read the dump \(path)")
            fault.code = fault.code == .item ? .unusable : fault.code
            throw fault
        }
    }
}
