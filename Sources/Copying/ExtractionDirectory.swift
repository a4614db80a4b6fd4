internal import MediaModel
internal import Storage

/// A directory of the target while files go into it; closed with its last owner.
final class ExtractionDirectory: Sendable {
    let handle: HeldDirectory
    /// Made by this run, as far as is known: nothing in it needs to be looked up first. Only a hint: names that are taken show when
    /// they are given.
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

/// The directories that lead to where the last file went, held open: an archive's files come in the order of its tree, so most of
/// the next file's way is there. One owner: a worker.
struct ExtractionWay {
    private struct Step {
        let directory: ExtractionDirectory
        /// How many bytes of the path lead to it.
        let end: Int
    }

    private let root: ExtractionDirectory
    private let stepsMax: Int
    /// From above downwards; there may be gaps, and the root is none.
    private var steps: [Step] = []
    /// Of the lowest step.
    private var path: [UInt8] = []

    /// - Parameter stepsMax: how many may be open at a time, at least one.
    init(from root: ExtractionDirectory, stepsMax: Int) {
        self.root = root
        self.stepsMax = stepsMax
    }

    /// Lets go of what does not lead to a directory; returns the nearest one that does, and how many bytes of its path it takes.
    mutating func nearest(to directory: ArraySlice<UInt8>) -> (directory: ExtractionDirectory, end: Int) {
        let shared = Self.sharedCount(path, directory)
        while let step = steps.last {
            let isOnWay =
                step.end <= shared && (step.end == directory.count || directory[step.end] == UInt8(ascii: "/"))
            if isOnWay { return (step.directory, step.end) }
            steps.removeLast()
        }
        return (root, 0)
    }

    /// Goes down to a directory below the nearest one.
    mutating func enter(_ directory: ExtractionDirectory, at path: ArraySlice<UInt8>) {
        if steps.count >= stepsMax { steps.removeFirst() }
        steps.append(Step(directory: directory, end: path.count))
        self.path.removeAll(keepingCapacity: true)
        self.path.append(contentsOf: path)
    }

    private static func sharedCount(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Int {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                let most = min(left.count, right.count)
                var count = 0
                while count < most && left[count] == right[count] { count += 1 }
                return count
            }
        }
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
