internal import MediaModel
internal import Storage
internal import Synchronization

/// The marker of a run at work in a target: a small file in its root that names the runs which have not ended well there.
/// A run that finds it while holding the target's lock knows those runs to be dead, and clears their temporaries away.
///
/// It is written before a run's first change, so a run that changes nothing writes nothing.
final class RunMarker: Sendable {
    private enum Phase { case unwritten, written(group: UInt32) }

    /// Runs that died here, oldest first.
    let deadRuns: [RunID]
    private let directory: HeldDirectory
    private let run: RunID
    private let isDurable: Bool
    private let phase = Mutex(Phase.unwritten)
    private let isWritten = Atomic(false)

    /// Most runs a marker is believed to name.
    private static let linesMax = 1000

    /// Reads the marker of a target; a target that is not open has none.
    /// - Parameter isDurable: the marker must outlive a power cut, as the names of temporaries may.
    init(in directory: HeldDirectory, run: RunID, isDurable: Bool = false) throws(FileFault) {
        self.directory = directory
        self.run = run
        self.isDurable = isDurable
        deadRuns = directory.isOpen ? try Self.read(directory) : []
    }

    private static func read(_ directory: HeldDirectory) throws(FileFault) -> [RunID] {
        var bytes = [UInt8](repeating: 0, count: linesMax * 25)
        let count = try BytePath(TemporaryName.marker).withEntryName { (name) throws(FileFault) -> Int in
            guard let metadata = try directory.lookUp(name), metadata.kind == .file else { return 0 }
            let file = try directory.openFile(name)
            return try file.readFully(into: &bytes)
        }
        return bytes[..<count].split(separator: UInt8(ascii: "\n")).compactMap {
            RunID(String(decoding: $0, as: UTF8.self))
        }
    }

    /// Makes sure that the marker names this run: called before every change, costs one load after the first.
    @inline(__always)
    func write() throws(FileFault) {
        if isWritten.load(ordering: .acquiring) { return }
        try writeOnce()
    }

    private func writeOnce() throws(FileFault) {
        let result = phase.withLock { phase -> FileFault? in
            if case .written = phase { return nil }
            do throws(FileFault) {
                phase = .written(group: try create())
                return nil
            } catch {
                // One that could not be written says nothing; one that names dead runs is still needed.
                if deadRuns.isEmpty { BytePath(TemporaryName.marker).withEntryName { try? directory.removeFile($0) } }
                return error
            }
        }
        if let result { throw result }
        isWritten.store(true, ordering: .releasing)
    }

    private func create() throws(FileFault) -> UInt32 {
        let text = (deadRuns + [run]).map { $0.text + "\n" }.joined()
        let bytes = Array(text.utf8)
        return try BytePath(TemporaryName.marker).withEntryName { (name) throws(FileFault) -> UInt32 in
            let file = try openMarker(name)
            try file.write(bytes, at: 0)
            try file.truncate(to: Int64(bytes.count))
            if isDurable {
                try file.synchronize()
                try directory.synchronize()
            }
            return try file.metadata().group
        }
    }

    /// The marker's file. What has its name and is not a plain file with this name alone was planted: it makes way and is
    /// never written through.
    private func openMarker(_ name: EntryName) throws(FileFault) -> OpenFile {
        if let existing = try directory.lookUp(name) {
            if existing.kind == .file, existing.linkCount == 1 {
                let file = try directory.openOrCreateFile(name, mode: 0o600)
                let opened = try file.metadata()
                if opened.kind == .file, opened.linkCount == 1 { return file }
            }
            try directory.removeFile(name)
        }
        return try directory.createFile(name, mode: 0o600)
    }

    /// The group that new files in this target get, once the marker was written: another than the process's where the
    /// file system is mounted with `grpid`.
    var groupOfNewFiles: UInt32? {
        phase.withLock { phase in
            if case .written(let group) = phase { return group }
            return nil
        }
    }

    /// Removes the marker at the end of a run; true where there was one.
    /// - Parameter swept: the run came to its end, so what dead runs left is gone as well.
    func remove(swept: Bool) -> Bool {
        guard groupOfNewFiles != nil || !deadRuns.isEmpty, swept || deadRuns.isEmpty else { return false }
        return BytePath(TemporaryName.marker).withEntryName { name in
            do throws(FileFault) {
                try directory.removeFile(name)
                return true
            } catch { return false }
        }
    }
}
