internal import MediaModel
internal import Storage

/// A directory of the target while files go into it; closed with its last owner.
final class ExtractionDirectory: Sendable {
    let handle: HeldDirectory
    /// Made by this run: nothing in it needs to be looked up.
    let isNew: Bool
    private let isOwned: Bool

    /// - Parameter isOwned: false for the root, which is somebody else's to close.
    init(_ handle: HeldDirectory, isNew: Bool, isOwned: Bool = true) {
        self.handle = handle
        self.isNew = isNew
        self.isOwned = isOwned
    }

    deinit {
        if isOwned { handle.close() }
    }
}

/// A finished file on its way to its name.
struct ExtractedFile: Sendable {
    let file: ExtractionFile
    let directory: ExtractionDirectory
    /// Open for writing; closed by whoever publishes.
    let descriptor: Int32
    /// Nil where the file has no name at all yet.
    let temporary: BytePath?
    /// The target had an older one when it was looked at.
    let replaces: Bool

    /// Takes back what would be litter; an unnamed file goes with its descriptor.
    func removeTemporary() {
        temporary?.withEntryName { try? directory.handle.removeFile($0) }
    }
}
