internal import MediaModel
internal import Storage

/// Removes entries of the target with everything below them, or counts what would go. One descriptor however deep the tree
/// is: the way up is `..`, checked against the directory that was come from. Never crosses a mount, never follows a link.
struct TreeRemover {
    /// What is done with each entry.
    enum Purpose { case count, pretend, remove }

    /// What was found or done.
    struct Tally {
        var entries = 0
        var bytes: Int64 = 0
        var failures: [SyncError] = []
    }

    let purpose: Purpose
    /// Device of the target's root.
    let device: UInt64
    /// What must stay with everything in it: the backup directory, the source.
    let spared: [FileIdentity]
    /// Whether a rule protects an entry; gets its path.
    let protects: (BytePath, Bool) -> Bool
    /// Told of each entry that goes.
    let report: (BytePath, EntryKind, Int64, SyncError?) -> Void

    private struct Frame {
        let name: BytePath
        let identity: FileIdentity
        var folders: [BytePath]
        /// Something in it stays, so it stays as well.
        var stays = false
    }

    /// Handles one entry of a held directory.
    /// - Parameter path: the entry's path, for rules and messages.
    func handle(_ name: EntryName, in directory: HeldDirectory, path: BytePath) {
        do throws(FileFault) {
            let metadata = try directory.metadata(of: name)
            guard metadata.kind == .directory else {
                handleLeaf(name, metadata, in: directory, path)
                return
            }
            if spared.contains(metadata.identity) { return }
            if metadata.device != device { return refuseMount(path) }
            try handleTree(name, in: directory, path)
        } catch {
            if error.kind == .missing { return }
            if error.kind == .crossDevice { return refuseMount(path) }
            report(path, .file, 0, error.syncError("could not delete \(path)"))
        }
    }

    private func refuseMount(_ path: BytePath) {
        let error = SyncError(
            .item,
            "\(path) is a mount point and was not deleted",
            why: "deleting never crosses a mount",
            hint: "unmount it first"
        )
        report(path, .directory, 0, error)
    }

    @discardableResult
    private func handleLeaf(
        _ name: EntryName,
        _ metadata: Metadata,
        in directory: HeldDirectory,
        _ path: BytePath
    ) -> Bool {
        if protects(path, false) { return false }
        if purpose == .remove {
            do throws(FileFault) {
                try directory.removeFile(name)
            } catch {
                if error.kind == .missing { return true }
                report(path, metadata.kind ?? .file, 0, error.syncError("could not delete \(path)"))
                return false
            }
        }
        report(path, metadata.kind ?? .file, metadata.kind == .file ? metadata.size : 0, nil)
        return true
    }

    private func handleTree(_ name: EntryName, in directory: HeldDirectory, _ path: BytePath) throws(FileFault) {
        var current = directory
        var frames: [Frame] = []
        var path = path
        defer { if current != directory { current.close() } }

        if protects(path, true) { return }
        try descend(to: BytePath(name: name), &current, keeping: directory, &frames, path)
        while var frame = frames.popLast() {
            if let next = frame.folders.popLast() {
                frames.append(frame)
                let below = path.appending(next)
                switch try enter(next, &current, keeping: directory, &frames, below) {
                case .entered: path = below
                case .stays: frames[frames.count - 1].stays = true
                case .gone: break
                }
                continue
            }
            // The way up must lead to where we came from, or somebody moved the directory: then stop here.
            let isTop = frames.isEmpty
            if isTop {
                current.close()
                current = directory
            } else {
                let above = try current.openDirectory("..")
                current.close()
                current = above
                guard try above.metadata().identity == frames[frames.count - 1].identity else {
                    report(path, .directory, 0, SyncError(.item, "\(path) was moved while it was deleted"))
                    return
                }
            }
            if frame.stays || !remove(frame, from: current, path) {
                if !isTop { frames[frames.count - 1].stays = true }
            }
            path = BytePath(bytes: Array(path.bytes.dropLast(frame.name.bytes.count)))
            if path.bytes.last == UInt8(ascii: "/") { path.bytes.removeLast() }
        }
    }

    private func remove(_ frame: Frame, from directory: HeldDirectory, _ path: BytePath) -> Bool {
        if purpose == .remove {
            do throws(FileFault) {
                try frame.name.withEntryName { (name) throws(FileFault) in try directory.removeDirectory(name) }
            } catch {
                report(path, .directory, 0, error.syncError("could not delete the directory \(path)"))
                return false
            }
        }
        report(path, .directory, 0, nil)
        return true
    }

    private enum Entering { case entered, stays, gone }

    /// Goes into a child directory unless a rule or a mount forbids it.
    private func enter(
        _ name: BytePath,
        _ current: inout HeldDirectory,
        keeping first: HeldDirectory,
        _ frames: inout [Frame],
        _ path: BytePath
    ) throws(FileFault) -> Entering {
        if protects(path, true) { return .stays }
        let directory = current
        let metadata = try name.withEntryName { (name) throws(FileFault) in try directory.lookUp(name) }
        guard let metadata else { return .gone }
        if spared.contains(metadata.identity) { return .stays }
        if metadata.device != device {
            refuseMount(path)
            return .stays
        }
        do throws(FileFault) {
            try descend(to: name, &current, keeping: first, &frames, path)
            return .entered
        } catch {
            if error.kind == .crossDevice {
                refuseMount(path)
            } else {
                report(path, .directory, 0, error.syncError("could not delete the directory \(path)"))
            }
            return .stays
        }
    }

    /// Opens a directory, handles its leaves and remembers its folders.
    private func descend(
        to name: BytePath,
        _ current: inout HeldDirectory,
        keeping first: HeldDirectory,
        _ frames: inout [Frame],
        _ path: BytePath
    ) throws(FileFault) {
        let directory = current
        let opened = try name.withEntryName { (name) throws(FileFault) in
            try directory.openDirectoryOnSameMount(name)
        }
        var frame: Frame
        do throws(FileFault) {
            frame = Frame(name: name, identity: try opened.metadata().identity, folders: [])
            let listing = ListingBuffer()
            while try opened.list(into: listing) > 0 {
                var cursor = 0
                while let entry = listing.next(&cursor) {
                    let below = path.appending(BytePath(name: entry.name))
                    let metadata = try opened.lookUp(entry.name)
                    guard let metadata else { continue }
                    if metadata.kind == .directory {
                        frame.folders.append(BytePath(name: entry.name))
                    } else if !handleLeaf(entry.name, metadata, in: opened, below) {
                        frame.stays = true
                    }
                }
            }
        } catch {
            opened.close()
            throw error
        }
        if current != first { current.close() }
        current = opened
        frames.append(frame)
    }
}
