internal import Archives
internal import Checksums
package import MediaModel
internal import Pacing
internal import Programs
package import Running
internal import Storage
internal import Wire

/// Brings this program to a machine that has none, or another version: into the user's cache directory there, and nowhere
/// else. It is looked for first, so that it travels once; what arrived is compared with what was sent before it may run.
package final class Bootstrap: Sendable {
    /// This program, and the kind of machine it runs on (`uname -sm`).
    package struct Program: Sendable {
        package var path: BytePath
        package var system: String

        package init(path: BytePath, system: String) {
            self.path = path
            self.system = system
        }
    }

    /// What a script over there may say.
    private static let answerMax = 64 << 10
    private static let pieceBytes = 1 << 20

    private let place: RemotePlace
    private let way: FarEnd.Way
    private let program: Program
    private let sink: EventSink

    package init(_ place: RemotePlace, _ way: FarEnd.Way, _ program: Program, sink: @escaping EventSink) {
        self.place = place
        self.way = way
        self.program = program
        self.sink = sink
    }

    /// The way to a mediasync of this version there. Brings it where it must.
    package func run(_ control: RunControl) async throws(SyncError) -> FarEnd.Way {
        let file: BootstrapFile
        do throws(FileFault) { file = try BootstrapFile(program.path) } catch {
            throw error.syncError("cannot read \(program.path)")
        }
        let script = BootstrapScript(digest: file.digest)
        let found = BootstrapAnswer(try await ask("sh -s", script.look(for: way.program), control))
        guard let system = found.system else {
            throw problem(
                "cannot run a shell on",
                why: found.rest.isEmpty ? nil : found.rest,
                "leave out --bootstrap where a key has a command of its own"
            )
        }
        if found.speaks == Int(WireLimit.version) { return way }
        if system != program.system {
            throw problem(
                "mediasync of this version is not on",
                why: "and this program, which is for \(program.system), cannot run there: \(system)",
                "install it there, or say where it is: --remote-path /path/to/mediasync"
            )
        }
        var answer = found
        if !found.isCached {
            sink(.notice(Notice(.notice, "mediasync is brought to \(host): ~/.cache/mediasync/\(script.name)")))
            answer = BootstrapAnswer(try await bring(file, script, control))
            if !answer.isCached {
                throw problem(
                    "could not bring mediasync to",
                    why: answer.rest.isEmpty ? "it did not arrive as it was sent" : answer.rest,
                    "see that there is room in the home directory there, or install mediasync"
                )
            }
        }
        if answer.cachedSpeaks == Int(WireLimit.version) {
            var way = way
            way.program = script.command
            return way
        }
        throw cannotRun(answer)
    }

    private var host: String { BytePath.escaped(Array(place.host.utf8)) }

    private func problem(_ what: String, why: String?, _ hint: String) -> SyncError {
        SyncError(.unusable, "\(what) \(host)", why: why, hint: hint)
    }

    private func cannotRun(_ answer: BootstrapAnswer) -> SyncError {
        let packages = answer.lacking.compactMap(BootstrapAnswer.package(of:))
        let why = answer.lacking.isEmpty ? answer.rest : "it lacks \(answer.lacking.joined(separator: ", "))"
        return problem(
            "this program does not run on",
            why: why.isEmpty ? nil : why,
            packages.isEmpty
                ? "install mediasync there, or run it from there"
                : "install what it lacks there: apt-get install \(packages.joined(separator: " "))"
        )
    }

    // MARK: Over there

    private func ask(_ command: String, _ script: String, _ control: RunControl) async throws(SyncError) -> [UInt8] {
        try await run(command, control) { program in
            let bytes = Array(script.utf8)
            return (try? bytes.withUnsafeBytes { try StreamEnd(raw: program.input).write($0) }) != nil
        }
    }

    private func bring(
        _ file: BootstrapFile,
        _ script: BootstrapScript,
        _ control: RunControl
    ) async throws(SyncError) -> [UInt8] {
        try await run(script.receive, control) { program in
            guard let compressor = try? BlockCompressor(.gzip) else { return false }
            let output = StreamEnd(raw: program.input)
            return
                (try? file.read(Self.pieceBytes) { piece in
                    let packed = try compressor.compress(piece)
                    try packed.withUnsafeBytes { try output.write($0) }
                    return !control.shouldStop
                }) ?? false
        }
    }

    /// Runs one command there: feeds it, hears what it answers, and says why it did not get there.
    private func run(
        _ command: String,
        _ control: RunControl,
        feed: @escaping @Sendable (PipedProgram) -> Bool
    ) async throws(SyncError) -> [UInt8] {
        let words = way.shell.dropFirst() + place.destination.map { BytePath($0) } + [BytePath(command)]
        let program = try PipedProgram(ProgramCall(way.shell[0], Array(words), environment: way.environment))
        // One feeds, one hears what ssh says, one reads.
        let pool = WorkerPool(threads: 3)
        defer {
            program.end()
            pool.shutDown()
        }
        let said = Monitor<[String]>([])
        let result = await withTaskGroup(of: Void.self) { group -> Result<[UInt8], SyncError> in
            group.addTask(executorPreference: pool) {
                _ = feed(program)
                program.closeInput()
            }
            group.addTask(executorPreference: pool) {
                program.listen { line in
                    let text = BytePath.escaped(line.last == 0x0D ? Array(line.dropLast()) : line)
                    said.withLock { if $0.count < 3 { $0.append(text) } }
                }
            }
            let answer = await withTaskExecutorPreference(pool) { () -> Result<[UInt8], SyncError> in
                let answer = Self.read(program, control)
                // Whoever feeds it gets to the end.
                if case .failure = answer { program.kill() }
                return answer
            }
            await group.waitForAll()
            return answer
        }
        let answer = try result.get()
        if program.exitCode(within: .seconds(2)) == 255 {
            throw FarEnd.unreachable(host, said.withLock { $0.joined(separator: "; ") }, retry: .never)
        }
        return answer
    }

    private static func read(_ program: PipedProgram, _ control: RunControl) -> Result<[UInt8], SyncError> {
        let input = StreamEnd(raw: program.output)
        var answer: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while answer.count < answerMax {
            while !input.isReadable(within: 100) {
                if let reason = control.stopReason { return .failure(reason) }
            }
            var count = 0
            do throws(FileFault) {
                count = try input.read(into: buffer)
            } catch {
                return .failure(error.syncError("cannot read from the other machine"))
            }
            if count == 0 { return .success(answer) }
            answer += buffer[..<count]
        }
        return .failure(
            SyncError(.unusable, "the other machine says too much", hint: "a login shell must print nothing")
        )
    }
}

/// This program's own file.
struct BootstrapFile: Sendable {
    private let path: BytePath
    let digest: Digest

    init(_ path: BytePath) throws(FileFault) {
        self.path = path
        let digest = StreamingDigest(.sha256)
        let file = try Self.open(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { break }
            digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        self.digest = digest.finish()
    }

    private static func open(_ path: BytePath) throws(FileFault) -> OpenFile {
        let root = try HeldDirectory.openRoot(BytePath("/"))
        defer { root.close() }
        let below = BytePath(bytes: Array(path.bytes.drop { $0 == UInt8(ascii: "/") }))
        return try below.withEntryName { (name) throws(FileFault) in try root.openFile(beneath: name) }
    }

    /// Shows all of it, piece by piece.
    /// - Parameter body: false for no more.
    /// - Returns: whether all of it was shown.
    func read(_ pieceBytes: Int, _ body: (UnsafeRawBufferPointer) throws -> Bool) throws -> Bool {
        let file = try Self.open(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return true }
            if try !body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { return false }
        }
    }
}
