internal import MediaModel
internal import Storage

/// The two roots of a run, opened and judged before anything is written.
struct TreePair {
    /// Not open where the source is on another machine.
    let source: HeldDirectory
    let sourceMetadata: Metadata?
    /// Not open where the target does not exist and this is a dry run.
    let target: HeldDirectory
    let targetMetadata: Metadata?
    /// The target was made by this run.
    let madeTarget: Bool

    /// Opens both roots. The target is made where only its last component is missing.
    /// - Throws: `SyncError` of code `unusable`; nothing was written.
    static func open(
        source sourcePath: BytePath,
        target targetPath: BytePath,
        dryRun: Bool
    ) throws(SyncError) -> TreePair {
        let source = try openSource(sourcePath)
        do throws(SyncError) {
            let sourceMetadata = try metadata(of: source, sourcePath)
            if let target = try openExisting(targetPath) {
                do throws(SyncError) {
                    let targetMetadata = try metadata(of: target, targetPath)
                    try refuseOverlap(source, sourceMetadata, sourcePath, target, targetMetadata, targetPath)
                    return TreePair(
                        source: source,
                        sourceMetadata: sourceMetadata,
                        target: target,
                        targetMetadata: targetMetadata,
                        madeTarget: false
                    )
                } catch {
                    target.close()
                    throw error
                }
            }
            return try make(targetPath, source, sourceMetadata, sourcePath, dryRun: dryRun)
        } catch {
            source.close()
            throw error
        }
    }

    /// Opens a directory that is only read.
    static func openSource(_ path: BytePath, role: String = "source") throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try HeldDirectory.openRoot(path)
        } catch {
            let hint: String
            switch error.kind {
            case .missing: hint = "check the path; if it is a mount, mount it first. Nothing was changed"
            case .wrongKind: hint = "name the directory that holds the files. Nothing was changed"
            case .denied: hint = "run as root or as the owner of the files"
            default: hint = "nothing was changed"
            }
            throw SyncError(.unusable, "cannot open the \(role) \(path)", why: error.reason, hint: hint)
        }
    }

    private static func metadata(of directory: HeldDirectory, _ path: BytePath) throws(SyncError) -> Metadata {
        do throws(FileFault) {
            return try directory.metadata()
        } catch {
            throw SyncError(.unusable, "cannot look at \(path)", why: error.reason)
        }
    }

    private static func openExisting(_ path: BytePath) throws(SyncError) -> HeldDirectory? {
        do throws(FileFault) {
            return try HeldDirectory.openRoot(path)
        } catch {
            if error.kind == .missing { return nil }
            let hint =
                error.kind == .wrongKind
                ? "the target must be a directory, or not exist yet" : "check the path and its permissions"
            throw SyncError(.unusable, "cannot open the target \(path)", why: error.reason, hint: hint)
        }
    }

    /// Opens or makes the target of a copy whose source is on another machine.
    /// - Parameter mustExist: it is only looked at.
    static func ofTarget(_ path: BytePath, dryRun: Bool, mustExist: Bool = false) throws(SyncError) -> TreePair {
        let (target, isNew) =
            mustExist
            ? (try openSource(path, role: "target"), false)
            : try openTarget(path, mode: 0o700, dryRun: dryRun)
        do throws(SyncError) {
            return TreePair(
                source: .none,
                sourceMetadata: nil,
                target: target,
                targetMetadata: target.isOpen ? try metadata(of: target, path) : nil,
                madeTarget: isNew
            )
        } catch {
            target.close()
            throw error
        }
    }

    private static func make(
        _ path: BytePath,
        _ source: HeldDirectory,
        _ sourceMetadata: Metadata,
        _ sourcePath: BytePath,
        dryRun: Bool
    ) throws(SyncError) -> TreePair {
        let (parent, parentPath) = try openParent(of: path)
        defer { parent.close() }
        let parentMetadata = try metadata(of: parent, parentPath)
        try refuseOverlap(source, sourceMetadata, sourcePath, parent, parentMetadata, path, targetIsBelow: true)
        if dryRun {
            return TreePair(
                source: source,
                sourceMetadata: sourceMetadata,
                target: .none,
                targetMetadata: nil,
                madeTarget: true
            )
        }
        let target = try makeDirectory(path, in: parent, parentPath, mode: 0o700)
        return TreePair(
            source: source,
            sourceMetadata: sourceMetadata,
            target: target,
            targetMetadata: try metadata(of: target, path),
            madeTarget: true
        )
    }

    private static func openParent(of path: BytePath) throws(SyncError) -> (HeldDirectory, BytePath) {
        let isAbsolute = path.bytes.first == UInt8(ascii: "/")
        let above = BytePath(bytes: Array(path.components.dropLast().joined(separator: [UInt8(ascii: "/")])))
        let parentPath = isAbsolute ? BytePath(bytes: [UInt8(ascii: "/")] + above.bytes) : above
        do throws(FileFault) {
            return (try HeldDirectory.openRoot(parentPath == .root ? BytePath(".") : parentPath), parentPath)
        } catch {
            throw SyncError(
                .unusable,
                "cannot make the target \(path)",
                why: error.reason,
                hint: "its parent directory must exist: check the path, mount what is not mounted, or make it"
            )
        }
    }

    private static func makeDirectory(
        _ path: BytePath,
        in parent: HeldDirectory,
        _ parentPath: BytePath,
        mode: UInt32
    ) throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try path.lastComponent.withEntryName { (name) throws(FileFault) -> HeldDirectory in
                try parent.makeDirectory(name, mode: mode)
                let made = try parent.openDirectory(name)
                try parent.synchronize()
                return made
            }
        } catch {
            throw SyncError(
                error.kind == .noSpace ? .exhausted : .unusable,
                "cannot make the target \(path)",
                why: error.reason,
                hint: "check the permissions of \(parentPath) and the space on its disk"
            )
        }
    }

    /// Opens a target that has no source tree beside it; made where only its last component is missing.
    /// - Returns: a directory that is not open where there is none and this is a dry run.
    static func openTarget(
        _ path: BytePath,
        mode: UInt32 = 0o755,
        dryRun: Bool
    ) throws(SyncError) -> (directory: HeldDirectory, isNew: Bool) {
        if let existing = try openExisting(path) { return (existing, false) }
        let (parent, parentPath) = try openParent(of: path)
        defer { parent.close() }
        if dryRun { return (.none, true) }
        return (try makeDirectory(path, in: parent, parentPath, mode: mode), true)
    }

    /// Refuses trees that are the same or lie in each other, told by device and inode on the way up, not by names.
    private static func refuseOverlap(
        _ source: HeldDirectory,
        _ sourceMetadata: Metadata,
        _ sourcePath: BytePath,
        _ target: HeldDirectory,
        _ targetMetadata: Metadata,
        _ targetPath: BytePath,
        targetIsBelow: Bool = false
    ) throws(SyncError) {
        let (from, to) = (sourcePath, targetPath)
        if sourceMetadata.identity == targetMetadata.identity, !targetIsBelow {
            throw SyncError(.unusable, "source and target are the same directory: \(from)", hint: "nothing was changed")
        }
        if try isBelow(target, targetMetadata.identity, sourceMetadata.identity) {
            throw SyncError(
                .unusable,
                "the target \(to) lies inside the source \(from)",
                hint: "a copy would copy itself; choose a target outside. Nothing was changed"
            )
        }
        if !targetIsBelow, try isBelow(source, sourceMetadata.identity, targetMetadata.identity) {
            throw SyncError(
                .unusable,
                "the source \(from) lies inside the target \(to)",
                hint: "deleting or replacing there could destroy the source; choose another target. Nothing was changed"
            )
        }
    }

    /// Whether a directory is `ancestor` or lies below it.
    private static func isBelow(
        _ directory: HeldDirectory,
        _ identity: FileIdentity,
        _ ancestor: FileIdentity
    ) throws(SyncError) -> Bool {
        do throws(FileFault) {
            var current = try directory.duplicate()
            defer { current.close() }
            var identity = identity
            while true {
                if identity == ancestor { return true }
                let above = try current.openDirectory("..")
                current.close()
                current = above
                let next = try above.metadata().identity
                if next == identity { return false }
                identity = next
            }
        } catch {
            // Above is a directory this user may not read: the trees cannot be told apart from there, but a tree below
            // another that is open here would have been met first.
            return false
        }
    }
}
