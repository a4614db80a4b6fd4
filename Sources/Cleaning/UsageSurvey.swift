internal import Catalog
package import MediaModel
internal import Pacing
package import Postgres
package import Storage
internal import Synchronization

/// `status --usage`: sums what rows say, and what the disk has, by kind and place.
package struct UsageSurvey: Sendable {
    private let settings: ConnectionSettings
    private let store: any MediaStore
    private let jobs: Int

    package init(settings: ConnectionSettings, store: any MediaStore, processors: Int) {
        self.settings = settings
        self.store = store
        jobs = max(8, 2 * processors)
    }

    /// The sums, and how many files and directories could not be looked at.
    package struct Answer: Sendable {
        package var lines: [MediaUsage]
        package var failed: Int
    }

    /// One line of the answer: nil for what is no media.
    private struct Key: Hashable {
        let kind: MediaKind?
        let isCached: Bool
    }

    private struct Files: Sendable {
        var lines: [Key: MediaUsage] = [:]
        var failed = 0
    }

    /// What all threads found.
    private final class Sum: Sendable {
        let files = Mutex(Files())
    }

    package func run() async throws(SyncError) -> Answer {
        let pool = WorkerPool(threads: jobs + 1)
        defer { pool.shutDown() }
        let walk = StoreWalk(store)
        let sum = Sum()
        let rows = await withTaskGroup(of: Result<[CatalogUsage], SyncError>?.self) { group in
            group.addTask(executorPreference: pool) { readRows() }
            for _ in 0..<jobs {
                group.addTask(executorPreference: pool) {
                    let found = look(walk)
                    sum.files.withLock { Self.add(found, to: &$0) }
                    return nil
                }
            }
            var rows: Result<[CatalogUsage], SyncError>?
            for await result in group { rows = rows ?? result }
            return rows
        }
        return Self.answer(try rows?.get() ?? [], sum.files.withLock { $0 })
    }

    private func readRows() -> Result<[CatalogUsage], SyncError> {
        do throws(SyncError) {
            let connection: Connection
            do throws(DatabaseFault) {
                connection = try Connection(settings, application: "mediasync status", allowsPooler: true)
            } catch {
                throw error.syncError("cannot connect to \(settings)")
            }
            return .success(try CatalogReader(connection).usage())
        } catch {
            return .failure(error)
        }
    }

    private func look(_ walk: StoreWalk) -> Files {
        var files = Files()
        walk.work { result in
            guard case .success(let path) = result else {
                files.failed += 1
                return true
            }
            do throws(FileFault) {
                guard let entry = try store.look(path) else { return true }
                Self.add(entry, at: path, to: &files)
            } catch {
                files.failed += 1
            }
            return true
        }
        return files
    }

    private static func add(_ entry: StoreEntry, at path: BytePath, to files: inout Files) {
        let media = MediaPath(path)
        let isCached = media?.isCached ?? (path.components.first?.elementsEqual(MediaLayout.cacheFolder.bytes) == true)
        let key = Key(kind: media?.kind, isCached: isCached)
        var line = files.lines[key] ?? Self.line(key)
        line.files += 1
        if media?.style == MediaStyle.original.name {
            line.bytesOfOriginals += entry.size
        } else {
            line.bytesOfOthers += entry.size
        }
        files.lines[key] = line
    }

    private static func line(_ key: Key) -> MediaUsage {
        MediaUsage(kind: key.kind?.rawValue ?? "", title: key.kind?.title ?? "not recognized", isCached: key.isCached)
    }

    private static func add(_ found: Files, to files: inout Files) {
        files.failed += found.failed
        for (key, line) in found.lines {
            var sum = files.lines[key] ?? Self.line(key)
            sum.files += line.files
            sum.bytesOfOriginals += line.bytesOfOriginals
            sum.bytesOfOthers += line.bytesOfOthers
            files.lines[key] = sum
        }
    }

    private static func answer(_ rows: [CatalogUsage], _ files: Files) -> Answer {
        var lines = files.lines
        for usage in rows {
            let key = Key(kind: usage.kind, isCached: usage.isCached)
            var line = lines[key] ?? Self.line(key)
            line.rows += usage.rows
            line.bytesInRows += usage.bytes
            lines[key] = line
        }
        let kinds: [MediaKind?] = MediaKind.allCases + [nil]
        let ordered = [false, true].flatMap { isCached in
            kinds.compactMap { lines[Key(kind: $0, isCached: isCached)] }
        }
        return Answer(lines: ordered, failed: files.failed)
    }
}
