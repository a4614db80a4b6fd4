internal import Glibc
package import MediaModel
internal import Synchronization

/// A directory of its own for one test; gone with everything below when the value is.
package final class TemporaryDirectory: Sendable {
    package let path: BytePath
    private static let counter = Atomic<Int>(0)

    /// - Parameter parent: another place than the system's temporary directory, e.g. a mounted file system.
    package init(in parent: BytePath? = nil) throws {
        let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        path = (parent ?? BytePath("/tmp")) / "mediasync-test-\(getpid())-\(number)"
        try Disk.makeDirectory(path)
    }

    deinit {
        Disk.removeTree(path)
    }

    /// Two empty directories, `src` and `dst`.
    package func makePair() throws -> (source: BytePath, target: BytePath) {
        try Disk.makeDirectory(path / "src")
        try Disk.makeDirectory(path / "dst")
        return (path / "src", path / "dst")
    }
}
