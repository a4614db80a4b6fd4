internal import Checksums
package import MediaModel
internal import Pacing
package import Running
package import Storage
internal import Synchronization

/// Checks the files that a manifest names against a tree, in parallel.
package final class ManifestCheckEngine: Engine {
    /// Lines that go to a worker in one piece.
    private static let batchLines = 64

    private let manifestPath: BytePath
    private let rootPath: BytePath
    private let options: VerifyOptions
    private let host: Host
    private let control: RunControl
    private let sink: EventSink
    private let account = Account()
    /// The next line nobody took.
    private let position = Mutex(0)

    package init(
        manifest: BytePath,
        root: BytePath,
        options: VerifyOptions,
        host: Host,
        control: RunControl,
        sink: @escaping EventSink
    ) {
        manifestPath = manifest
        rootPath = root
        self.options = options
        self.host = host
        self.control = control
        self.sink = sink
    }

    package func counts() -> Counts { account.counts() }

    package func abandon() {}

    package func run() async -> RunResult {
        await runOnOwnThread(account, control) { () async throws(SyncError) in try await self.check() }
    }

    private func check() async throws(SyncError) {
        let root = try TreePair.openSource(rootPath, role: "directory")
        defer { root.close() }
        let lines = try parse(try UserFile.read(manifestPath, limit: 1 << 32))
        sink(.stage("verify"))
        let bounds = Bounds(host: host, jobs: options.jobs)
        let pool = WorkerPool(threads: bounds.workersFirst)
        defer { pool.shutDown() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.started {
                group.addTask(executorPreference: pool) {
                    let checker = Checker(self, root)
                    while !self.control.shouldStop, let batch = self.nextBatch(lines.count) {
                        for line in lines[batch] where !self.control.shouldStop { checker.check(line) }
                    }
                }
            }
        }
    }

    private func nextBatch(_ count: Int) -> Range<Int>? {
        position.withLock { position in
            guard position < count else { return nil }
            let end = min(position + Self.batchLines, count)
            defer { position = end }
            return position..<end
        }
    }

    /// Reads every line before any is checked: a file that is no manifest changes nothing and says so.
    private func parse(_ bytes: [UInt8]) throws(SyncError) -> [ManifestLine] {
        var lines: [ManifestLine] = []
        for (index, text) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !text.isEmpty && text.first != UInt8(ascii: "#") {
            guard let line = ManifestLine(text) else {
                throw SyncError(
                    .usage,
                    "\(manifestPath) is not a manifest",
                    why: "line \(index + 1) is no digest and path",
                    hint: "manifests are what mediasync manifest, xxhsum -H2, sha256sum or b2sum print"
                )
            }
            lines.append(line)
        }
        if lines.isEmpty {
            throw SyncError(.usage, "the manifest \(manifestPath) is empty", hint: "nothing was checked")
        }
        return lines
    }

    /// One thread's hands.
    private final class Checker {
        private let engine: ManifestCheckEngine
        private let root: HeldDirectory
        private let tally: Tally
        private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
        private var digests: [DigestAlgorithm: DigestBox] = [:]

        /// A digest that can lie in a dictionary.
        private final class DigestBox {
            let digest: StreamingDigest
            init(_ algorithm: DigestAlgorithm) { digest = StreamingDigest(algorithm) }
        }

        init(_ engine: ManifestCheckEngine, _ root: HeldDirectory) {
            self.engine = engine
            self.root = root
            tally = engine.account.makeTally()
        }

        deinit {
            buffer.deallocate()
        }

        func check(_ line: ManifestLine) {
            tally.seen.add()
            tally.files.add()
            var changes: ChangeSet = []
            let outcome: Outcome
            if !line.staysBelowRoot {
                tally.failed.add()
                let why = "the path is absolute or leads upwards"
                outcome = .failed(SyncError(.item, "\(line.path) was not checked", why: why))
            } else {
                do throws(FileFault) {
                    let found = try digest(line)
                    if found == line.digest {
                        tally.unchanged.add()
                        outcome = .unchanged
                    } else {
                        tally.different.add()
                        changes = .content
                        outcome = .different
                    }
                } catch {
                    if error.kind == .missing {
                        tally.different.add()
                        changes = .new
                        outcome = .different
                    } else {
                        tally.failed.add()
                        outcome = .failed(error.syncError("could not read \(line.path)"))
                    }
                }
            }
            if case .unchanged = outcome, !engine.options.reportsEveryItem { return }
            engine.sink(
                .item(
                    ItemEvent(path: line.path, kind: .file, outcome: outcome, changes: changes, digest: line.digest)
                )
            )
        }

        private func digest(_ line: ManifestLine) throws(FileFault) -> Digest {
            let file = try line.path.withEntryName { (path) throws(FileFault) in try root.openFile(beneath: path) }
            if engine.options.uncached { file.forgetCache() }
            let algorithm = line.digest.algorithm
            let box = digests[algorithm] ?? DigestBox(algorithm)
            digests[algorithm] = box
            box.digest.reset()
            var offset: Int64 = 0
            while true {
                let count = try file.readFully(into: buffer, at: offset)
                box.digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += Int64(count)
                if count < buffer.count || engine.control.shouldStop { break }
            }
            tally.bytesSeen.add(Int(offset))
            tally.bytesCompared.add(Int(offset))
            return box.digest.finish()
        }
    }
}
