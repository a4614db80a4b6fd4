internal import CLinux
internal import Glibc
internal import MediaModel

/// Paths of several components below a directory, in which no link is followed, ever.
///
/// Where the system lets us, the directory is reached by a mount of our own in which the kernel follows no link: one call
/// asks for a path. That needs root, Linux 5.14, and no filter of system calls. Elsewhere it takes three: the path is opened
/// link-free, asked, closed.
struct LinkFreeTree: Sendable {
    private let root: HeldDirectory
    /// The same directory by our own mount; none where there is no such thing.
    private let mount: HeldDirectory

    /// - Parameter root: stays open as long as this is used.
    init(_ root: HeldDirectory, mayMount: Bool = true) {
        self.root = root
        mount = mayMount ? HeldDirectory(raw: max(-1, mds_open_without_links(root.raw))) : .none
    }

    func close() { mount.close() }

    /// Whether the kernel keeps away from links by itself.
    var isMounted: Bool { mount.isOpen }

    /// An entry's metadata, nil where there is no such entry. A link at the end is told as a link.
    func lookUp(_ path: BytePath) throws(FileFault) -> Metadata? {
        try path.withEntryName { (name) throws(FileFault) in
            if mount.isOpen, Self.isPlain(path) { return try mount.lookUp(name) }
            return try root.lookUp(beneath: name)
        }
    }

    /// The same for many paths, each told as `make` tells it. The directory that they are all in is opened once.
    func lookUp<Found>(_ paths: PathList, _ make: (Metadata) -> Found) -> [Result<Found?, FileFault>] {
        let start = mount.isOpen ? mount : root
        let length = Self.commonLength(paths)
        var found: [Result<Found?, FileFault>] = []
        found.reserveCapacity(paths.count)
        guard length > 0, Self.arePlain(paths),
            let common = try? start.openPlace(beneath: BytePath(bytes: Array(paths[0].bytes[..<length])))
        else {
            for index in 0..<paths.count {
                found.append(Result { () throws(FileFault) in try lookUp(paths[index]).map(make) })
            }
            return found
        }
        defer { common.close() }
        paths.withEach { _, path in
            // Behind the slash.
            let rest = path.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped + length + 1
            let entry = Result { () throws(FileFault) in
                mount.isOpen ? try common.lookUp(rest) : try common.lookUp(beneath: rest)
            }
            found.append(entry.map { $0.map(make) })
        }
        return found
    }

    /// Removes a file or a link and tells its metadata; nil where there was nothing.
    func removeFile(_ path: BytePath) throws(FileFault) -> Metadata? {
        do throws(FileFault) {
            guard mount.isOpen, Self.isPlain(path) else {
                return try root.withParent(of: path) { (directory, name) throws(FileFault) in
                    try Self.remove(name, in: directory)
                }
            }
            return try path.withEntryName { (name) throws(FileFault) in try Self.remove(name, in: mount) }
        } catch  where error.kind == .missing {
            return nil
        }
    }

    private static func remove(_ name: EntryName, in directory: HeldDirectory) throws(FileFault) -> Metadata? {
        guard let metadata = try directory.lookUp(name) else { return nil }
        try directory.removeFile(name)
        return metadata
    }

    /// Removes an empty directory.
    func removeDirectory(_ path: BytePath) throws(FileFault) {
        guard mount.isOpen, Self.isPlain(path) else {
            return try root.withParent(of: path) { (above, name) throws(FileFault) in try above.removeDirectory(name) }
        }
        try path.withEntryName { (name) throws(FileFault) in try mount.removeDirectory(name) }
    }

    /// Whether a path stays below where it begins: a mount alone does not see to that.
    static func isPlain(_ path: BytePath) -> Bool { path.bytes.withUnsafeBytes(isPlain) }

    private static func arePlain(_ paths: PathList) -> Bool {
        var all = true
        paths.withEach { _, path in all = all && isPlain(path) }
        return all
    }

    private static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
        let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
        guard let start = path.baseAddress, let first = path.first, first != slash else { return false }
        // Hardly a path has two dots in a row; the C library looks at many bytes at once.
        var from = 0
        while let found = memchr(start + from, Int32(dot), path.count - from) {
            let at = start.distance(to: UnsafeRawPointer(found))
            let leadsUp =
                (at == 0 || path[at - 1] == slash) && at + 1 < path.count && path[at + 1] == dot
                && (at + 2 == path.count || path[at + 2] == slash)
            if leadsUp { return false }
            from = at + 1
        }
        return true
    }

    /// How long the path of the directory is that all of these are in; 0 for the root.
    static func commonLength(_ paths: PathList) -> Int {
        guard paths.count > 0 else { return 0 }
        let first = paths[0].bytes
        var common = first.count
        first.withUnsafeBytes { first in
            paths.withEach { _, path in
                common = min(common, path.count)
                guard common > 0, let left = first.baseAddress, let right = path.baseAddress,
                    memcmp(left, right, common) != 0
                else { return }
                common = zip(first[..<common], path).prefix { $0 == $1 }.count
            }
        }
        // Up to the last slash: a whole component is left of each.
        return first[..<common].lastIndex(of: UInt8(ascii: "/")) ?? 0
    }
}

extension HeldDirectory {
    /// A directory by a path of several components, only to name what is in it: nothing of it is read.
    fileprivate func openPlace(beneath path: BytePath) throws(FileFault) -> HeldDirectory {
        HeldDirectory(raw: try check("openat2", path.withEntryName { mds_open_path_beneath(raw, $0) }))
    }

    /// An entry's metadata by a path of several components, none of which may be a link or lead above this directory; nil
    /// where there is no such entry.
    fileprivate func lookUp(beneath path: EntryName) throws(FileFault) -> Metadata? {
        let descriptor = mds_open_path_beneath(raw, path)
        if descriptor == -ENOENT { return nil }
        return try OpenFile(raw: check("openat2", descriptor)).metadata()
    }
}
