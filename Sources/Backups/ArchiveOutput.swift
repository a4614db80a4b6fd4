internal import MediaModel
internal import Pacing
internal import Storage

/// What a job made: a compressed block, and lines of the manifest.
struct ArchiveBlock: Sendable {
    var bytes: [UInt8] = []
    var lines: [UInt8] = []
}

/// Writes blocks in the order of their numbers, whatever order they come in. The thread that brings the next one writes it,
/// and those behind it that wait already.
final class ArchiveOutput: Sendable {
    private struct State {
        var next = 0
        var pending: [Int: ArchiveBlock] = [:]
        var isWriting = false
        var failure: SyncError?
        var written: Int64 = 0
    }

    private let archive: Int32
    private let manifest: Int32
    private let name: BytePath
    private let waitingMax: Int
    private let state = Monitor(State())

    /// - Parameters:
    ///   - archive, manifest: open for writing; somebody else's to close.
    ///   - waitingMax: blocks that wait for their turn.
    init(archive: Int32, manifest: Int32, name: BytePath, waitingMax: Int) {
        self.archive = archive
        self.manifest = manifest
        self.name = name
        self.waitingMax = waitingMax
    }

    /// Bytes of the archive so far.
    var written: Int64 { state.withLock { $0.written } }

    /// Why nothing more is written.
    var failure: SyncError? { state.withLock { $0.failure } }

    /// Nothing more is to be written.
    func fail(_ error: SyncError) {
        state.withLock { if $0.failure == nil { $0.failure = error } }
        state.wakeAll()
    }

    /// Takes a block; waits while too many others wait for their turn.
    func put(_ number: Int, _ block: ArchiveBlock) {
        _ = state.wait { state -> Bool? in
            guard state.failure != nil || number == state.next || state.pending.count < waitingMax else { return nil }
            state.pending[number] = block
            return true
        }
        while let block = takeNext() {
            let failure = write(block)
            state.withLock { state in
                state.isWriting = false
                state.next += 1
                state.written += Int64(block.bytes.count)
                if let failure, state.failure == nil { state.failure = failure }
            }
            state.wakeAll()
        }
    }

    private func takeNext() -> ArchiveBlock? {
        state.withLock { state in
            guard !state.isWriting, state.failure == nil, let block = state.pending.removeValue(forKey: state.next)
            else {
                return nil
            }
            state.isWriting = true
            return block
        }
    }

    private func write(_ block: ArchiveBlock) -> SyncError? {
        do throws(FileFault) {
            try Self.append(block.bytes, to: archive)
            try Self.append(block.lines, to: manifest)
            return nil
        } catch { return error.syncError("could not write \(name)") }
    }

    private static func append(_ bytes: [UInt8], to descriptor: Int32) throws(FileFault) {
        let fault = bytes.withUnsafeBytes { bytes -> FileFault? in
            do throws(FileFault) {
                try OpenFile.append(descriptor: descriptor, bytes)
                return nil
            } catch { return error }
        }
        if let fault { throw fault }
    }
}
