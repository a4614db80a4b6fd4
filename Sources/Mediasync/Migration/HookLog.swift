import Foundation
import MediaModel
import Synchronization

/// What a hook says, kept in a file beside the run state: readable by its owner alone, since commands may tell secrets.
final class HookLog: Sendable {
    /// A command that talks for ever fills no disk.
    private static let bytesMax = 16 << 20

    private struct State {
        var handle: FileHandle?
        var bytes = 0
    }

    let path: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: where run state is kept.
    ///   - name: `hook-before`.
    init(directory: String, run: RunID, name: String) throws(SyncError) {
        let folder = "\(directory)/logs"
        path = "\(folder)/\(run.text)-\(name).log"
        try? FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw SyncError(
                .configuration,
                "cannot keep what \(name) says in \(BytePath(path))",
                why: String(cString: strerror(errno)),
                hint: "check --state"
            )
        }
        state.withLock { $0.handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) }
    }

    /// Adds a line. A full disk ends the keeping, not the run.
    func add(_ line: [UInt8]) {
        state.withLock { state in
            guard let handle = state.handle, state.bytes < Self.bytesMax else { return }
            state.bytes += line.count + 1
            if (try? handle.write(contentsOf: Data(line + [0x0A]))) == nil { state.handle = nil }
        }
    }
}
