internal import MediaModel
internal import Storage

/// The marker of a run at work in a target: a small file in its root that names the runs which have not ended well there.
/// A run that finds it while holding the target's lock knows those runs to be dead, and clears their temporaries away.
struct RunMarker {
    /// Runs that died here, oldest first.
    let deadRuns: [RunID]
    /// The group the marker got: what new files in this directory get.
    let group: UInt32?
    private let directory: HeldDirectory

    /// Most runs a marker is believed to name.
    private static let linesMax = 1000

    /// Reads the marker and adds this run to it.
    /// - Parameter dryRun: only reads.
    init(in directory: HeldDirectory, run: RunID, dryRun: Bool) throws(FileFault) {
        self.directory = directory
        deadRuns = try Self.read(directory)
        guard !dryRun else {
            group = nil
            return
        }
        var text = ""
        for run in deadRuns + [run] { text += run.text + "\n" }
        let bytes = Array(text.utf8)
        group = try BytePath(TemporaryName.marker).withEntryName { (name) throws(FileFault) -> UInt32 in
            let file = try directory.openOrCreateFile(name, mode: 0o600)
            try file.write(bytes, at: 0)
            try file.truncate(to: Int64(bytes.count))
            return try file.metadata().group
        }
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

    /// The run left nothing behind.
    func remove() throws(FileFault) {
        try BytePath(TemporaryName.marker).withEntryName { (name) throws(FileFault) in
            try directory.removeFile(name)
        }
    }
}
