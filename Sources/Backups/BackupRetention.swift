internal import MediaModel
internal import Storage

/// Which exports are old enough to go: those that mediasync made, and not the newest of them. As the snap keeps it, so that
/// a server whose exports fail does not lose its last one.
struct BackupRetention {
    let days: Double
    let now: Int64

    /// An export of ours.
    struct Candidate: Equatable {
        let name: BytePath
        let madeAt: Int64
    }

    /// What goes, oldest first.
    func expired(_ all: [Candidate]) -> [Candidate] {
        let limit = days * 86_400
        let old = all.filter { Double(now - $0.madeAt) > limit }
        return old.sorted { ($0.madeAt, $0.name) < ($1.madeAt, $1.name) }.dropLast()
    }

    /// The exports in a directory. What has no marker of ours is none, whatever it is called; links are none.
    static func candidates(in directory: HeldDirectory) throws(SyncError) -> [Candidate] {
        var found: [Candidate] = []
        for name in try directory.names(limit: 100_000) where name.bytes.first != UInt8(ascii: ".") {
            guard let folder = try? directory.directory(name) else { continue }
            defer { folder.close() }
            guard let text = try? folder.smallFile(BackupLayout.marker, limit: 4096), let marker = BackupMarker(text)
            else {
                continue
            }
            found.append(Candidate(name: name, madeAt: marker.madeAt))
        }
        return found
    }
}
