package import Imaging
internal import MediaModel
internal import Running
internal import Storage
internal import Synchronization

/// Decodes whole files. Blocks: for threads of our own.
package protocol MediaDecoding: Sendable {
    /// Whether a file can be decoded from its beginning to its end; why not is thrown.
    func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault)

    /// The run stops: what is under way fails as stopped.
    func shutDown()
}

extension ProcessingPool: MediaDecoding {}

/// Files of a store that are decoded to their end, by children that hostile bytes may kill.
final class StoreDecoding: Sendable {
    /// How soon a run that is stopped ends its decoders.
    private static let pollNanoseconds: Int64 = 100_000_000

    private let store: any MediaStore
    private let decoder: any MediaDecoding
    private let control: RunControl
    private let isOver = Atomic(false)

    init(store: any MediaStore, decoder: any MediaDecoding, control: RunControl) {
        self.store = store
        self.decoder = decoder
        self.control = control
    }

    /// Ends what is decoded once the run is stopped: a video may take minutes. Returns when `end` was called.
    func watch() {
        while !isOver.load(ordering: .relaxed) {
            if control.shouldStop { return decoder.shutDown() }
            Host.sleep(nanoseconds: Self.pollNanoseconds)
        }
    }

    /// Nothing is decoded any more.
    func end() { isOver.store(true, ordering: .relaxed) }

    /// Nil where the run was stopped before it was found out.
    func verdict(of path: BytePath) throws(SyncError) -> StoreVerdict? {
        let (size, fault) = try decode(path)
        guard let fault else { return .good(size) }
        switch fault.kind {
        case .stopped: return nil
        case .unavailable, .noSpace, .unreadable: throw Self.error(path, fault.message)
        default: return .undecodable(size, why: fault.message)
        }
    }

    /// The file's size, and why it cannot be decoded.
    private func decode(_ path: BytePath) throws(SyncError) -> (Int64, ProcessingFault?) {
        do throws(FileFault) {
            for isLast in [false, true] {
                let file = try store.open(path)
                let before = try file.metadata()
                var fault: ProcessingFault?
                do throws(ProcessingFault) { try decoder.check(file.raw, bytes: before.size) } catch { fault = error }
                let isSame = try Self.isSame(before, file.metadata())
                if isSame, isLast || fault?.isWorthAnotherTry != true { return (before.size, fault) }
                if control.shouldStop { return (before.size, ProcessingFault(.stopped, "the run was stopped")) }
            }
        } catch {
            throw error.syncError("cannot look at \(path)")
        }
        throw Self.error(path, "it changed while it was read")
    }

    private static func isSame(_ before: Metadata, _ after: Metadata) -> Bool {
        before.size == after.size && before.modificationTime == after.modificationTime
    }

    private static func error(_ path: BytePath, _ why: String) -> SyncError {
        SyncError(.item, "cannot decode \(path)", why: why, hint: "run the same command again", retry: .backOff)
    }
}

extension ProcessingFault {
    /// Memory, or a child, may have been lost to something else.
    fileprivate var isWorthAnotherTry: Bool {
        switch kind {
        case .crashed, .outOfMemory, .unreadable: true
        default: false
        }
    }
}
