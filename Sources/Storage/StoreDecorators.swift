internal import Glibc
package import MediaModel
internal import Synchronization

/// A store that only pretends to change: what would be removed is looked at and told, nothing else happens.
package struct DryRunStore: MediaStore {
    private let store: any MediaStore

    package init(_ store: any MediaStore) {
        self.store = store
    }

    package func look(_ path: BytePath) throws(FileFault) -> StoreEntry? { try store.look(path) }

    package func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        try store.list(directory, body)
    }

    package func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        try store.contents(of: path, limit: limit)
    }

    package func open(_ path: BytePath) throws(FileFault) -> OpenFile { try store.open(path) }

    package func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        if try store.look(path) != nil { throw FileFault("linkat", -EEXIST) }
    }

    package func makeSpool() throws(FileFault) -> SpoolFile { try store.makeSpool() }

    package func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        try publish([], at: path, modes: modes)
    }

    package func remove(_ path: BytePath) throws(FileFault) -> Int64? {
        guard let entry = try store.look(path) else { return nil }
        if entry.kind == .directory { throw FileFault("unlinkat", -EISDIR) }
        return entry.kind == .file ? entry.size : 0
    }
}

/// The calls of a store.
package enum StoreCall: Int, Sendable, CaseIterable {
    case look, list, contents, open, publish, remove, makeSpool
}

/// A store that counts its calls.
package final class CountingStore: MediaStore {
    private let store: any MediaStore
    private let counts = Mutex<[StoreCall: Int]>([:])

    package init(_ store: any MediaStore) {
        self.store = store
    }

    /// How often a call was made.
    package subscript(_ call: StoreCall) -> Int { counts.withLock { $0[call] ?? 0 } }

    private func count(_ call: StoreCall) { counts.withLock { $0[call, default: 0] += 1 } }

    package func look(_ path: BytePath) throws(FileFault) -> StoreEntry? {
        count(.look)
        return try store.look(path)
    }

    package func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        count(.list)
        try store.list(directory, body)
    }

    package func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        count(.contents)
        return try store.contents(of: path, limit: limit)
    }

    package func open(_ path: BytePath) throws(FileFault) -> OpenFile {
        count(.open)
        return try store.open(path)
    }

    package func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        count(.publish)
        try store.publish(contents, at: path, modes: modes)
    }

    package func makeSpool() throws(FileFault) -> SpoolFile {
        count(.makeSpool)
        return try store.makeSpool()
    }

    package func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        count(.publish)
        try store.publish(spool, at: path, modes: modes)
    }

    package func remove(_ path: BytePath) throws(FileFault) -> Int64? {
        count(.remove)
        return try store.remove(path)
    }
}

/// A store that fails one call, and works before and after it: for tests of what comes then.
package final class FaultyStore: MediaStore {
    private let store: any MediaStore
    private let failing: StoreCall
    private let number: Int32
    /// Calls that still go through.
    private let left: Atomic<Int>

    /// - Parameters:
    ///   - call: which one fails.
    ///   - after: how many of them go through before.
    ///   - kind: what the system says then.
    package init(_ store: any MediaStore, failing call: StoreCall, after count: Int = 0, with kind: FileFault.Kind) {
        self.store = store
        failing = call
        left = Atomic(count)
        number =
            switch kind {
            case .denied: EACCES
            case .readOnly: EROFS
            case .noSpace: ENOSPC
            case .noDescriptors: EMFILE
            case .missing: ENOENT
            default: EIO
            }
    }

    private func pass(_ call: StoreCall) throws(FileFault) {
        guard call == failing, left.wrappingSubtract(1, ordering: .relaxed).oldValue == 0 else { return }
        throw FileFault("injected", -number)
    }

    package func look(_ path: BytePath) throws(FileFault) -> StoreEntry? {
        try pass(.look)
        return try store.look(path)
    }

    package func list(_ directory: BytePath, _ body: (BytePath, EntryKind?) -> Void) throws(FileFault) {
        try pass(.list)
        try store.list(directory, body)
    }

    package func contents(of path: BytePath, limit: Int) throws(FileFault) -> [UInt8] {
        try pass(.contents)
        return try store.contents(of: path, limit: limit)
    }

    package func open(_ path: BytePath) throws(FileFault) -> OpenFile {
        try pass(.open)
        return try store.open(path)
    }

    package func publish(_ contents: [UInt8], at path: BytePath, modes: StoreModes) throws(FileFault) {
        try pass(.publish)
        try store.publish(contents, at: path, modes: modes)
    }

    package func makeSpool() throws(FileFault) -> SpoolFile {
        try pass(.makeSpool)
        return try store.makeSpool()
    }

    package func publish(_ spool: SpoolFile, at path: BytePath, modes: StoreModes) throws(FileFault) {
        try pass(.publish)
        try store.publish(spool, at: path, modes: modes)
    }

    package func remove(_ path: BytePath) throws(FileFault) -> Int64? {
        try pass(.remove)
        return try store.remove(path)
    }
}
