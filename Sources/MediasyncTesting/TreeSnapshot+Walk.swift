internal import CLinux
internal import Glibc
package import MediaModel

/// Reading a tree: by descriptors and bytes, so that no depth and no name is too much.
extension TreeSnapshot {
    private struct Frame {
        let descriptor: Int32
        let path: BytePath
        var names: [BytePath]
    }

    /// Reads a tree. Mounts below are read as well.
    /// - Parameter contents: whether files and extended attributes are read.
    package init(of root: BytePath, contents: Bool = true) throws {
        Self.raiseDescriptorLimit()
        let top = Disk.withPath(root) { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        try Disk.check("open", root, top)
        var entries: [BytePath: Entry] = [:]
        var firstOf: [UInt64: BytePath] = [:]
        var groups: [UInt64: [BytePath]] = [:]
        entries[.root] = try Self.entry(at: top, BytePath("."), contents: contents).entry
        var frames = [Frame(descriptor: top, path: .root, names: try Self.names(of: top))]
        defer { for frame in frames { close(frame.descriptor) } }
        while var frame = frames.popLast() {
            guard let name = frame.names.popLast() else {
                close(frame.descriptor)
                continue
            }
            frames.append(frame)
            let path = frame.path.appending(name)
            let (entry, linkCount) = try Self.entry(at: frame.descriptor, name, contents: contents)
            entries[path] = entry
            if entry.kind == .directory {
                let below = Disk.withPath(name) { openat(frame.descriptor, $0, Self.directoryFlags) }
                try Disk.check("openat", path, below)
                frames.append(Frame(descriptor: below, path: path, names: try Self.names(of: below)))
            } else if linkCount > 1 {
                groups[entry.inode, default: []].append(path)
                firstOf[entry.inode] = min(firstOf[entry.inode] ?? path, path)
            }
        }
        for (inode, paths) in groups where paths.count > 1 {
            for path in paths { entries[path]?.linkedWith = firstOf[inode] }
        }
        self.init(entries: entries)
    }

    private static let directoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func names(of descriptor: Int32) throws -> [BytePath] {
        guard let stream = fdopendir(dup(descriptor)) else { throw TestFault("cannot list") }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [BytePath] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { BytePath(bytes: Array($0.prefix { $0 != 0 })) }
            if name != BytePath("."), name != BytePath("..") { names.append(name) }
        }
        return names
    }

    private static func entry(
        at directory: Int32,
        _ name: BytePath,
        contents: Bool
    ) throws -> (entry: Entry, linkCount: Int) {
        var status = stat()
        try Disk.check(
            "fstatat",
            name,
            Disk.withPath(name) { fstatat(directory, $0, &status, AT_SYMLINK_NOFOLLOW) }
        )
        guard let kind = kind(status.st_mode) else { throw TestFault("\(name) is of an unknown kind") }
        var entry = Entry(
            kind: kind,
            mode: status.st_mode & 0o7777,
            owner: status.st_uid,
            group: status.st_gid,
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec,
            size: kind == .file ? Int(status.st_size) : 0,
            inode: UInt64(status.st_ino),
            changedSeconds: status.st_ctim.tv_sec,
            changedNanoseconds: status.st_ctim.tv_nsec,
            blocks: Int(status.st_blocks)
        )
        switch kind {
        case .file where contents: entry.contentHash = try contentHash(directory, name, size: entry.size)
        case .symlink: entry.linkText = linkText(directory, name)
        case .blockDevice, .characterDevice: entry.deviceNumber = UInt64(status.st_rdev)
        default: break
        }
        if contents, kind == .file || kind == .directory { entry.attributes = attributes(directory, name) }
        return (entry, Int(status.st_nlink))
    }

    private static func kind(_ mode: UInt32) -> EntryKind? {
        switch mode & UInt32(S_IFMT) {
        case UInt32(S_IFREG): .file
        case UInt32(S_IFDIR): .directory
        case UInt32(S_IFLNK): .symlink
        case UInt32(S_IFIFO): .fifo
        case UInt32(S_IFSOCK): .socket
        case UInt32(S_IFBLK): .blockDevice
        case UInt32(S_IFCHR): .characterDevice
        default: nil
        }
    }

    private static func contentHash(_ directory: Int32, _ name: BytePath, size: Int) throws -> Int {
        let descriptor = Disk.withPath(name) { openat(directory, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        try Disk.check("openat", name, descriptor)
        defer { close(descriptor) }
        var hasher = Hasher()
        var buffer = [UInt8](repeating: 0, count: min(1 << 18, size + 1))
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            try Disk.check("read", name, Int32(truncatingIfNeeded: min(count, 1)))
            if count == 0 { return hasher.finalize() }
            buffer.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    private static func linkText(_ directory: Int32, _ name: BytePath) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { raw in
            Disk.withPath(name) { mds_readlink(directory, $0, raw.baseAddress, raw.count) }
        }
        return Array(buffer.prefix(max(0, count)))
    }

    private static func attributes(_ directory: Int32, _ name: BytePath) -> [String: [UInt8]] {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let descriptor = Disk.withPath(name) { openat(directory, $0, flags) }
        guard descriptor >= 0 else { return [:] }
        defer { close(descriptor) }
        guard mds_xattr_list(descriptor, nil, 0) > 0 else { return [:] }
        var list = [CChar](repeating: 0, count: 65_536)
        let count = mds_xattr_list(descriptor, &list, list.count)
        var found: [String: [UInt8]] = [:]
        for part in list.prefix(max(0, count)).split(separator: 0) {
            let key = String(decoding: part.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            var value = [UInt8](repeating: 0, count: 65_536)
            let length = mds_xattr_get(descriptor, key, &value, value.count)
            if length >= 0 { found[key] = Array(value.prefix(length)) }
        }
        return found
    }
}
