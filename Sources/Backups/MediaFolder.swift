internal import MediaModel
internal import Storage

/// A directory that is held open while its files are read, and those in it are opened.
final class MediaFolder: Sendable {
    /// Below it directories are opened by their paths: a tree is as deep as its maker likes, descriptors are not.
    private static let heldDepthMax = 32

    let handle: HeldDirectory
    /// Below the media root.
    let path: BytePath
    private let depth: Int

    private init(_ handle: HeldDirectory, path: BytePath, depth: Int) {
        self.handle = handle
        self.path = path
        self.depth = depth
    }

    deinit {
        handle.close()
    }

    /// Opens what a step leads to.
    static func open(_ step: MediaStep, below root: HeldDirectory) throws(FileFault) -> MediaFolder {
        switch step {
        case .child(let parent, let name):
            let handle = try name.withEntryName { (name) throws(FileFault) in try parent.handle.openDirectory(name) }
            return MediaFolder(handle, path: parent.path.appending(name), depth: parent.depth + 1)
        case .path(let path, let depth):
            return MediaFolder(try root.openDirectory(beneath: path), path: path, depth: depth)
        }
    }

    /// The way to a directory in this one.
    func step(to name: BytePath) -> MediaStep {
        if depth < Self.heldDepthMax { return .child(of: self, name) }
        return .path(path.appending(name), depth: depth + 1)
    }
}

/// A directory that nobody has listed yet.
enum MediaStep: Sendable {
    case child(of: MediaFolder, BytePath)
    case path(BytePath, depth: Int)

    var path: BytePath {
        switch self {
        case .child(let parent, let name): parent.path.appending(name)
        case .path(let path, _): path
        }
    }
}
