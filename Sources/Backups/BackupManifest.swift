internal import Archives
internal import MediaModel
internal import Storage

/// Reads the lines of a manifest one after the other, however many there are.
final class BackupManifest {
    /// Stands in the place of a file that changed while it was read: its content in the archive is no version of it.
    static let changedLine = Array("# changed while it was read\n".utf8)

    enum Line {
        case digest(ManifestLine)
        case changed
    }

    private let file: OpenFile
    private let name: BytePath
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0
    private var isAtEnd = false
    private let growth: ArchiveGrowth?
    private var offset: Int64 = 0

    /// - Parameter growth: of a manifest that is being written: it is waited for.
    init(_ name: BytePath, in directory: HeldDirectory, growth: ArchiveGrowth? = nil) throws(SyncError) {
        self.name = name
        self.growth = growth
        do throws(FileFault) {
            file = try name.withEntryName { (name) throws(FileFault) in try directory.openFile(name) }
        } catch {
            throw error.syncError("could not read \(name)")
        }
    }

    /// The next line; nil at the end.
    func next() throws(SyncError) -> Line? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let text = buffer[start..<end]
                start = end + 1
                number += 1
                if text.elementsEqual(Self.changedLine.dropLast()) { return .changed }
                guard let line = ManifestLine(text) else { throw broken("line \(number) is no digest and path") }
                return .digest(line)
            }
            if isAtEnd {
                if start == buffer.count { return nil }
                throw broken("its last line is cut off")
            }
            try fill()
        }
    }

    private func fill() throws(SyncError) {
        buffer.removeFirst(start)
        start = 0
        if buffer.count > BackupLayout.lineBytesMax { throw broken("line \(number + 1) is too long") }
        let held = buffer.count
        let there = growth.map { $0.length(of: .manifest, beyond: offset) - offset }
        buffer.append(contentsOf: repeatElement(0, count: Int(min(there ?? 1 << 16, 1 << 16))))
        let (count, fault) = buffer.withUnsafeMutableBytes { bytes -> (Int, FileFault?) in
            do throws(FileFault) {
                return (try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[held...])), nil)
            } catch { return (0, error) }
        }
        if let fault { throw fault.syncError("could not read \(name)") }
        buffer.removeLast(buffer.count - held - count)
        offset += Int64(count)
        if count == 0 { isAtEnd = true }
    }

    private func broken(_ why: String) -> SyncError {
        SyncError(.unusable, "\(name) is broken", why: why)
    }
}
