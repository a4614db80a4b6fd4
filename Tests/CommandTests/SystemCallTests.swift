import Foundation
import MediaModel
import MediasyncTesting
import Testing

/// The cost of a copy is its system calls: so many an entry, and not one more.
@Suite(.serialized, .enabled(if: Requirement.canTrace, "needs strace")) struct SystemCallTests {
    private static let counted = """
        openat,openat2,close,newfstatat,statx,getdents64,read,write,pread64,pwrite64,mkdirat,renameat,renameat2,fchmod,\
        chmod,fchown,fchownat,utimensat,flistxattr,fgetxattr,fsetxattr,unlinkat,linkat,lseek,ftruncate,fallocate,ioctl,\
        copy_file_range,fadvise64,fsync,fcntl,readlinkat,faccessat
        """

    /// Three directories for each file, as Mastodon's id partitions make them; the number of entries.
    private func makeMediaTree(_ root: BytePath) throws -> Int {
        try Disk.makeDirectory(root / "media_attachments")
        try Disk.makeDirectory(root / "media_attachments" / "files")
        var count = 3
        for index in 0..<300 {
            var path = root / "media_attachments" / "files"
            for part in [index / 100, index / 10 % 10, index % 10, 7] {
                path = path / "\(part)"
                if !Disk.exists(path) {
                    try Disk.makeDirectory(path)
                    count += 1
                }
            }
            try Disk.makeDirectory(path / "original")
            try Disk.makeDirectory(path / "small")
            try Disk.write(path / "original" / "file.jpg", [UInt8](repeating: 5, count: 3000 + index))
            count += 3
        }
        return count
    }

    /// System calls of one run, without those of a run over an empty tree.
    private func calls(_ source: BytePath, _ target: BytePath, in place: TemporaryDirectory) throws -> Int {
        let log = place.path / "calls"
        let wrapper = ["strace", "-f", "-c", "-qq", "-e", "trace=\(Self.counted)", "-o", "\(log)"]
        let options = ["--fsync", "none", "--no-xattrs", "--no-hard-links", "-q", "-j", "2"]
        let result = try BinaryRunner.copy(options, source, target, wrapper: wrapper)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let total = try Disk.text(log).split(separator: "\n").last { $0.hasSuffix("total") }
        let fields = try #require(total).split(separator: " ")
        return try #require(fields.dropFirst(3).first.flatMap { Int($0) })
    }

    @Test("a copy takes at most 10.0 calls an entry, a run with nothing to do at most 7.5")
    func perEntry() throws {
        let place = try TemporaryDirectory()
        let (source, target) = try place.makePair()
        try Disk.makeDirectory(place.path / "empty")
        try Disk.makeDirectory(place.path / "empty-target")
        let entries = try makeMediaTree(source)
        let fixed = try calls(place.path / "empty", place.path / "empty-target", in: place)
        let copy = Double(try calls(source, target, in: place) - fixed) / Double(entries)
        let nothing = Double(try calls(source, target, in: place) - fixed) / Double(entries)
        expectNone(try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source)))
        #expect(entries > 1200)
        #expect(copy <= 10.0, "\(copy) calls an entry to copy \(entries)")
        #expect(nothing <= 7.5, "\(nothing) calls an entry with nothing to do")
    }
}
