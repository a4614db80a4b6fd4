internal import MediaModel
internal import Running
internal import Storage

/// Removes what dead runs left in a target: their temporaries, wherever they are. For a run that does not look at every
/// directory on its own way.
enum TemporarySweep {
    /// Walks the whole target. Directories on other file systems are left alone.
    /// - Returns: whether every directory was looked at.
    static func run(_ root: HeldDirectory, _ deadRuns: Set<RunID>, _ control: RunControl) throws(FileFault) -> Bool {
        let listing = ListingBuffer()
        let device = try root.metadata().device
        var waiting = [BytePath.root]
        var isComplete = true
        while let path = waiting.popLast() {
            if control.shouldStop { return false }
            do throws(FileFault) {
                let directory = try root.openDirectory(beneath: path)
                defer { directory.close() }
                guard try directory.metadata().device == device else { continue }
                while try directory.list(into: listing) > 0 {
                    var cursor = 0
                    while let entry = listing.next(&cursor) {
                        if try isDirectory(entry, in: directory) {
                            waiting.append(path.appending(BytePath(name: entry.name)))
                        } else if let run = TemporaryName.run(of: entry.bytes), deadRuns.contains(run) {
                            try directory.removeFile(entry.name)
                        }
                    }
                }
            } catch  where error.kind == .missing || error.kind == .denied || error.kind == .wrongKind {
                isComplete = false
            }
        }
        return isComplete
    }

    private static func isDirectory(
        _ entry: ListingBuffer.Entry,
        in directory: HeldDirectory
    ) throws(FileFault) -> Bool {
        if let kind = entry.kind { return kind == .directory }
        return try directory.lookUp(entry.name)?.kind == .directory
    }
}
