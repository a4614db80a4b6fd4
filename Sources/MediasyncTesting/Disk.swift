internal import CLinux
internal import Glibc
package import MediaModel

/// What went wrong in the means of a test, not in what it tests.
package struct TestFault: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// File system calls for tests: by absolute paths of any bytes, failing with the call and the errno.
package enum Disk {
    static func check(_ call: String, _ path: BytePath, _ result: Int32) throws {
        if result < 0 { throw TestFault("\(call) \(path): \(String(cString: strerror(errno)))") }
    }

    static func withPath<Result>(_ path: BytePath, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        let terminated = path.bytes.map { CChar(bitPattern: $0) } + [0]
        return try terminated.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("never empty") }
            return try body(base)
        }
    }

    // MARK: Making

    /// Makes a directory; the mode is exact whatever the umask is.
    package static func makeDirectory(_ path: BytePath, mode: UInt32 = 0o755) throws {
        try withPath(path) {
            try check("mkdir", path, mkdir($0, 0o700))
            try check("chmod", path, chmod($0, mode))
        }
    }

    /// Writes a file, over what is there.
    package static func write(_ path: BytePath, _ contents: [UInt8], mode: UInt32 = 0o644) throws {
        try withPath(path) { raw in
            let descriptor = open(raw, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            try check("open", path, descriptor)
            defer { close(descriptor) }
            var done = 0
            while done < contents.count {
                let count = contents[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                try check("write", path, Int32(truncatingIfNeeded: min(count, 1)))
                done += count
            }
            try check("fchmod", path, fchmod(descriptor, mode))
        }
    }

    package static func write(_ path: BytePath, _ contents: String, mode: UInt32 = 0o644) throws {
        try write(path, Array(contents.utf8), mode: mode)
    }

    /// Writes bytes into the middle of a file and leaves the rest, holes too.
    package static func patch(_ path: BytePath, at offset: Int64, _ bytes: [UInt8]) throws {
        try withPath(path) { raw in
            let descriptor = open(raw, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            try check("open", path, descriptor)
            defer { close(descriptor) }
            let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            if count != bytes.count { throw TestFault("pwrite \(path)") }
        }
    }

    package static func truncate(_ path: BytePath, to size: Int64) throws {
        try withPath(path) { try check("truncate", path, Glibc.truncate($0, off_t(size))) }
    }

    package static func makeLink(_ path: BytePath, to text: BytePath) throws {
        try withPath(path) { raw in try withPath(text) { try check("symlink", path, symlink($0, raw)) } }
    }

    package static func makeHardLink(_ path: BytePath, to existing: BytePath) throws {
        try withPath(path) { raw in try withPath(existing) { try check("link", path, link($0, raw)) } }
    }

    /// - Parameter type: `S_IFIFO`, `S_IFSOCK`, `S_IFCHR` or `S_IFBLK`.
    package static func makeSpecial(_ path: BytePath, type: UInt32, mode: UInt32 = 0o644, device: UInt64 = 0) throws {
        try withPath(path) {
            try check("mknod", path, mknod($0, type | mode, dev_t(device)))
            try check("chmod", path, chmod($0, mode))
        }
    }

    // MARK: Changing

    package static func setMode(_ path: BytePath, _ mode: UInt32) throws {
        try withPath(path) { try check("chmod", path, chmod($0, mode)) }
    }

    package static func setOwner(_ path: BytePath, _ user: UInt32, _ group: UInt32) throws {
        try withPath(path) { try check("lchown", path, lchown($0, user, group)) }
    }

    /// `UTIME_OMIT`, a macro that Swift does not see.
    private static let omitted = (1 << 30) - 2

    /// Sets the modification time of the entry itself; the access time stays.
    package static func setTime(_ path: BytePath, _ seconds: Int, nanoseconds: Int = 0) throws {
        let times = [timespec(tv_sec: 0, tv_nsec: omitted), timespec(tv_sec: seconds, tv_nsec: nanoseconds)]
        try withPath(path) { try check("utimensat", path, utimensat(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW)) }
    }

    package static func setAttribute(_ path: BytePath, _ name: String, _ value: [UInt8]) throws {
        try withPath(path) { raw in
            let descriptor = open(raw, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
            try check("open", path, descriptor)
            defer { close(descriptor) }
            let result = mds_xattr_set(descriptor, name, value, value.count)
            if result < 0 { throw TestFault("fsetxattr \(path): \(String(cString: strerror(-result)))") }
        }
    }

    package static func rename(_ path: BytePath, to other: BytePath) throws {
        try withPath(path) { raw in try withPath(other) { try check("rename", path, Glibc.rename(raw, $0)) } }
    }

    package static func remove(_ path: BytePath) throws {
        try withPath(path) { try check("unlink", path, unlink($0)) }
    }

    package static func removeTree(_ path: BytePath) {
        // Trees deeper than PATH_MAX and directories of other users: `rm` knows both.
        _ = try? Program("/bin/rm").run(["-rf", "--one-file-system", "--"], path)
    }

    // MARK: Looking

    package static func exists(_ path: BytePath) -> Bool { status(path) != nil }

    package static func isDirectory(_ path: BytePath) -> Bool {
        status(path).map { $0.st_mode & UInt32(S_IFMT) == UInt32(S_IFDIR) } ?? false
    }

    /// The entry's own status; nil where there is none.
    static func status(_ path: BytePath) -> stat? {
        var result = stat()
        return withPath(path) { lstat($0, &result) } == 0 ? result : nil
    }

    package static func read(_ path: BytePath) throws -> [UInt8] {
        try withPath(path) { raw in
            let descriptor = open(raw, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            try check("open", path, descriptor)
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                try check("read", path, Int32(truncatingIfNeeded: min(count, 1)))
                if count == 0 { return bytes }
                bytes.append(contentsOf: buffer[..<count])
            }
        }
    }

    package static func text(_ path: BytePath) throws -> String { String(decoding: try read(path), as: UTF8.self) }

    package static func inode(_ path: BytePath) -> UInt64? { status(path).map { UInt64($0.st_ino) } }
    package static func mode(_ path: BytePath) -> UInt32? { status(path).map { $0.st_mode & 0o7777 } }
    package static func owner(_ path: BytePath) -> UInt32? { status(path).map { $0.st_uid } }
    package static func size(_ path: BytePath) -> Int? { status(path).map { Int($0.st_size) } }
    /// 512-byte blocks in use.
    package static func blocks(_ path: BytePath) -> Int? { status(path).map { Int($0.st_blocks) } }

    /// The names in a directory, sorted.
    package static func names(in path: BytePath) throws -> [BytePath] {
        guard let stream = withPath(path, { opendir($0) }) else { throw TestFault("cannot list \(path)") }
        defer { closedir(stream) }
        var names: [BytePath] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { BytePath(bytes: Array($0.prefix { $0 != 0 })) }
            if name != BytePath("."), name != BytePath("..") { names.append(name) }
        }
        return names.sorted()
    }
}

/// `directory / "name"`.
package func / (path: BytePath, name: String) -> BytePath {
    path.appending(BytePath(name))
}

package func / (path: BytePath, name: BytePath) -> BytePath {
    path.appending(name)
}
