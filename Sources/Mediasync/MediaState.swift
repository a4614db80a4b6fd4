import Foundation
import MediaModel
import Pipeline
import Postgres
import Storage

/// What commands that change rows and files of one server share: the lock of its media, and where they keep what they must
/// remember of it.
struct MediaState {
    /// Where run state is kept.
    let directory: String
    /// Names the database and the media root: intents of one are no intents of another.
    let scope: String

    init(output: OutputOptions, settings: ConnectionSettings, root: BytePath, host: Storage.Host) throws(SyncError) {
        directory = try StateLocation.resolve(
            flag: output.state,
            environment: ProcessInfo.processInfo.environment,
            isRoot: host.isRoot
        )
        scope = "\(settings); \(Self.resolved(root))"
    }

    func intents() throws(SyncError) -> IntentStore { try IntentStore(directory: directory, scope: scope) }

    func refreshMemory() throws(SyncError) -> RefreshStore { try RefreshStore(directory: directory, scope: scope) }

    /// No two runs work on the same media.
    static func lock(_ store: LocalMediaStore, _ root: BytePath) throws(SyncError) {
        do throws(FileFault) {
            if try store.directory.lock() { return }
        } catch {
            throw error.syncError("cannot lock \(root)")
        }
        throw SyncError(
            .locked,
            "another run of mediasync works on \(root)",
            hint: "wait for its end: mediasync status"
        )
    }

    /// The media root without links: the same whatever way it was named.
    private static func resolved(_ root: BytePath) -> BytePath {
        let path = root.withEntryName { realpath($0, nil) }
        defer { free(path) }
        return path.map { BytePath(name: $0) } ?? root
    }
}
