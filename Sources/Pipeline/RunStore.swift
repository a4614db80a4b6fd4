internal import GRDB
internal import Glibc
package import MediaModel

/// The memory of runs: one SQLite file in the state directory, shared by all commands and by several runs at once.
///
/// One connection, no pool: opening is part of every copy. Write-ahead log, so that `status` reads while a run writes;
/// a writer waits up to five seconds for another. A power cut may lose the last seconds of history, never the file.
/// Nothing here is needed to resume a run: the tree is the state.
///
/// Calls block for as long as SQLite takes; engines never call it, `RunRecorder` batches for them.
package final class RunStore: Sendable {
    /// The database's name in the state directory.
    package static let fileName = "runs.sqlite"
    /// Failures kept of one run; more are only counted.
    package static let failureLimit = 100_000
    /// Runs kept by `prune`.
    package static let runLimit = 50
    /// Tables that are kept of one report.
    static let sectionsMax = 50

    let path: String
    let queue: DatabaseQueue

    /// Opens the store and makes what is missing: directories with mode 0700, the file with mode 0600.
    /// - Throws: `.configuration` where the directory cannot be used, the file is damaged, newer or not ours. The file is
    ///   never deleted. A command may turn the error into a warning and go on without memory.
    package convenience init(directory: String) throws(SyncError) {
        let path = directory + "/" + Self.fileName
        try Self.prepare(directory: directory, file: path)
        try self.init(path: path, isReadOnly: false)
    }

    /// Opens the store for reading; nil where there is none yet.
    package static func openExisting(directory: String) throws(SyncError) -> RunStore? {
        let path = directory + "/" + fileName
        guard access(path, F_OK) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw unusable(path, why: reason(errno, "access"))
            }
            return nil
        }
        let isReadOnly = access(path, W_OK) != 0
        let store = try RunStore(path: path, isReadOnly: isReadOnly)
        // Made and not yet filled by a run that begins just now.
        if isReadOnly, case .older = try store.read(RunSchema.judge) { return nil }
        return store
    }

    private init(path: String, isReadOnly: Bool) throws(SyncError) {
        self.path = path
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // Before anything is written: a database that is not ours is not touched.
            try Self.check(try RunSchema.judge(db), path: path)
            guard !db.configuration.readonly else { return }
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            if !isReadOnly { try Self.migrate(queue, path: path) }
        } catch {
            throw Self.translate(error, path: path)
        }
    }

    private static func check(_ judgement: RunSchema.Judgement, path: String) throws(SyncError) {
        switch judgement {
        case .newer(let version): throw newer(path, version: version)
        case .foreign: throw foreign(path)
        case .current, .older: break
        }
    }

    private static func migrate(_ queue: DatabaseQueue, path: String) throws {
        guard case .older = try queue.read(RunSchema.judge) else { return }
        // Another process may have been faster: judged again under the write lock.
        try queue.inDatabase { db in
            try db.inTransaction(.immediate) {
                let judgement = try RunSchema.judge(db)
                try check(judgement, path: path)
                if case .older(let version) = judgement { try RunSchema.migrate(db, from: version) }
                return .commit
            }
        }
    }

    private static func prepare(directory: String, file: String) throws(SyncError) {
        if let number = makeDirectories(directory) { throw unusable(directory, why: reason(number, "mkdir")) }
        // SQLite would make it with the umask's mode; its log files take the mode of the file.
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unusable(file, why: reason(errno, "open")) }
        close(descriptor)
    }

    /// Makes a directory and what is missing above it, mode 0700 each. The number of the error that stopped it.
    private static func makeDirectories(_ path: String) -> Int32? {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return nil }
        let number = errno
        guard number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return number }
        if let above = makeDirectories(String(path[..<slash])) { return above }
        return mkdir(path, 0o700) == 0 || errno == EEXIST ? nil : errno
    }

    private static func reason(_ number: Int32, _ call: String) -> String {
        "\(String(cString: strerror(number))) (\(call))"
    }

    /// Runs a write transaction.
    func write<T>(_ body: (Database) throws -> T) throws(SyncError) -> T {
        do {
            return try queue.write(body)
        } catch {
            throw Self.translate(error, path: path)
        }
    }

    /// Runs a read.
    func read<T>(_ body: (Database) throws -> T) throws(SyncError) -> T {
        do {
            return try queue.read(body)
        } catch {
            throw Self.translate(error, path: path)
        }
    }
}
