internal import MediaModel
internal import Pacing
internal import Storage

/// What a thread made: a compressed block, and lines of the manifest.
struct ArchiveBlock: Sendable {
    var bytes: [UInt8] = []
    var lines: [UInt8] = []
}

/// Writes blocks in the order of their numbers, whatever order they come in. The thread that brings the next one writes it,
/// and those behind it that wait already. Who reads the files behind it (`ArchiveGrowth`) is told how far they are.
final class ArchiveOutput: Sendable {
    /// Written out to the disk by the kernel while more is made, so that the flush at the end has little left to do.
    private static let writeOutBytes: Int64 = 8 << 20

    private struct State {
        var reserved = 0
        var next = 0
        var pending: [Int: ArchiveBlock] = [:]
        var isWriting = false
        var failure: SyncError?
    }

    private let archive: Int32
    private let manifest: Int32
    private let name: BytePath
    private let waitingMax: Int
    private let state = Monitor(State())
    private let growth: ArchiveGrowth

    /// - Parameters:
    ///   - archive, manifest: open for writing; somebody else's to close.
    ///   - waitingMax: blocks that wait for their turn.
    init(archive: Int32, manifest: Int32, name: BytePath, waitingMax: Int, growth: ArchiveGrowth) {
        self.archive = archive
        self.manifest = manifest
        self.name = name
        self.waitingMax = waitingMax
        self.growth = growth
    }

    /// Why nothing more is written.
    var failure: SyncError? { state.withLock { $0.failure } }

    /// Nothing more is to be written.
    func fail(_ error: SyncError) {
        state.withLock { if $0.failure == nil { $0.failure = error } }
        state.wakeAll()
        growth.finish()
    }

    /// Numbers for blocks that follow each other; the first of them. Each must be put, or the output fail.
    func reserve(_ count: Int) -> Int {
        state.withLock { state in
            defer { state.reserved += count }
            return state.reserved
        }
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
                if let failure, state.failure == nil { state.failure = failure }
            }
            if failure != nil { growth.finish() }
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
        } catch { return error.syncError("could not write \(name)") }
        let before = growth.archiveBytes
        growth.add(archive: block.bytes.count, manifest: block.lines.count)
        let now = before + Int64(block.bytes.count)
        if before / Self.writeOutBytes != now / Self.writeOutBytes {
            OpenFile.beginWriteback(descriptor: archive)
        }
        return nil
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
