import MediaModel
import Storage
import Synchronization

/// A store that does something else when it is first looked into.
final class HookedStore: MediaStore {
    private let store: any MediaStore
    private let hook: @Sendable () -> Void
    private let wasCalled = Atomic(false)

    init(_ store: any MediaStore, onFirstLook hook: @escaping @Sendable () -> Void) {
        self.store = store
        self.hook = hook
    }

    func look(_ path: BytePath) throws(FileFault) -> StoreEntry? {
        if !wasCalled.exchange(true, ordering: .relaxed) { hook() }
        return try store.look(path)
    }

    func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        try store.list(directory, body)
    }

    func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        try store.contents(of: path, limit: limit)
    }

    func open(_ path: BytePath) throws(FileFault) -> OpenFile { try store.open(path) }

    func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        try store.publish(contents, at: path, modes: modes)
    }

    func makeSpool() throws(FileFault) -> SpoolFile { try store.makeSpool() }

    func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        try store.publish(spool, at: path, modes: modes)
    }

    func remove(_ path: BytePath) throws(FileFault) -> Int64? { try store.remove(path) }
}
