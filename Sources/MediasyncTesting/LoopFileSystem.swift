internal import Glibc
package import MediaModel

/// A file system of its own in a sparse file: small, full on demand, cut off from its disk on demand. Unmounted and
/// detached when the value goes.
package final class LoopFileSystem {
    package enum Kind: String, Sendable { case ext4, xfs, btrfs }

    private let directory: TemporaryDirectory
    /// Where it is mounted.
    package let path: BytePath
    private let kind: Kind
    private let device: String
    private var isMounted = false

    /// - Parameters:
    ///   - megabytes: its size.
    ///   - makeOptions: for mkfs, e.g. `["-N", "64"]` for few inodes.
    package init(_ kind: Kind = .ext4, megabytes: Int, makeOptions: [String] = []) throws {
        self.kind = kind
        directory = try TemporaryDirectory()
        path = directory.path / "mounted"
        let image = directory.path / "image"
        try Disk.makeDirectory(path)
        try Disk.write(image, [])
        try Disk.truncate(image, to: Int64(megabytes) << 20)
        let quiet = kind == .btrfs ? ["-q"] : kind == .xfs ? ["-q"] : ["-q", "-F"]
        try Program("mkfs.\(kind.rawValue)").check(quiet + makeOptions, image)
        device = try Program("losetup").check(["--find", "--show"], image).lines.first ?? ""
        guard !device.isEmpty else { throw TestFault("no loop device") }
        try mount()
    }

    deinit {
        unmount()
        _ = try? Program("losetup").run(["--detach", device])
    }

    package func mount(options: String = "") throws {
        let more = options.isEmpty ? [] : ["-o", options]
        try Program("mount").check(["-t", kind.rawValue] + more + [device], path)
        isMounted = true
    }

    package func remount(readOnly: Bool) throws {
        try Program("mount").check(["-o", readOnly ? "remount,ro" : "remount,rw"], path)
    }

    package func unmount() {
        guard isMounted else { return }
        for _ in 0..<50 {
            if (try? Program("umount").check([], path)) != nil {
                isMounted = false
                return
            }
            usleep(20_000)
        }
        isMounted = (try? Program("umount").check(["--lazy"], path)) == nil
    }

    /// Cuts the power: nothing more reaches the disk, and what was not flushed is lost. Then mounts what is left.
    package func cutPower() throws {
        try stopDisk()
        unmount()
        try mount()
    }

    /// From now on nothing reaches the disk; every write fails.
    package func stopDisk() throws {
        try Program("xfs_io").check(["-x", "-c", "shutdown"], path)
    }

    package var freeBytes: Int {
        var status = statvfs()
        Disk.withPath(path) { _ = statvfs($0, &status) }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}
