import Imaging
import MediaModel
import MediasyncTesting
import Running
import Storage
import Synchronization
import Testing

@testable import Cleaning

/// What `verify --store --deep` makes of a decoder's answers.
@Suite struct StoreDecodingTests {
    /// Answers in a row; the last one again and again. `nil` is a file that can be decoded.
    private final class ScriptedDecoder: MediaDecoding {
        private let answers: Mutex<[ProcessingFault.Kind?]>
        private let onCheck: @Sendable () -> Void
        private let count = Atomic(0)
        private let isOver = Atomic(false)
        var calls: Int { count.load(ordering: .relaxed) }
        var isShutDown: Bool { isOver.load(ordering: .relaxed) }

        init(_ answers: [ProcessingFault.Kind?], onCheck: @escaping @Sendable () -> Void = {}) {
            self.answers = Mutex(answers)
            self.onCheck = onCheck
        }

        func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault) {
            count.wrappingAdd(1, ordering: .relaxed)
            onCheck()
            let kind = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            if let kind { throw ProcessingFault(kind, "because") }
        }

        func shutDown() { isOver.store(true, ordering: .relaxed) }
    }

    private static let path = BytePath("a")

    private static func store() -> MemoryMediaStore {
        let store = MemoryMediaStore()
        store.add(path, [1, 2, 3], at: Timestamp(seconds: 1_790_000_000, nanoseconds: 0))
        return store
    }

    private static func verdict(
        _ decoder: ScriptedDecoder,
        _ store: any MediaStore = store(),
        _ control: RunControl = RunControl()
    ) throws(SyncError) -> StoreVerdict? {
        try StoreDecoding(store: store, decoder: decoder, control: control).verdict(of: path)
    }

    @Test(
        "every answer of a decoder has its verdict, and only what may have another reason is asked again",
        arguments: ProcessingFault.Kind.allCases
    )
    func kinds(kind: ProcessingFault.Kind) throws {
        let decoder = ScriptedDecoder([kind])
        let again: Set<ProcessingFault.Kind> = [.crashed, .outOfMemory, .unreadable]
        switch kind {
        case .stopped:
            #expect(try Self.verdict(decoder) == nil)
        case .unavailable, .noSpace, .unreadable:
            let error = #expect(throws: SyncError.self) { try Self.verdict(decoder) }
            #expect(error?.why == "because")
        default:
            #expect(try Self.verdict(decoder) == .undecodable(3, why: "because"))
        }
        #expect(decoder.calls == (again.contains(kind) ? 2 : 1))
    }

    @Test("a child that dies once costs another try, and that one counts")
    func crashedOnce() throws {
        let decoder = ScriptedDecoder([.crashed, nil])
        #expect(try Self.verdict(decoder) == .good(3))
        #expect(decoder.calls == 2)
    }

    @Test(
        "a file that changes while it is decoded is read once more; where it changes again it is a failure, no verdict"
    )
    func changed() throws {
        let place = try TemporaryDirectory()
        let store = try LocalMediaStore(place.path)
        try store.publish([1, 2, 3], at: Self.path, modes: StoreModes())
        let changes = Atomic(1)
        let file = place.path / "a"
        let decoder = ScriptedDecoder([.truncated]) {
            if changes.wrappingSubtract(1, ordering: .relaxed).oldValue > 0 {
                try? Disk.write(file, [UInt8](repeating: 7, count: 4 + changes.load(ordering: .relaxed)))
            }
        }
        #expect(try Self.verdict(decoder, store) == .undecodable(4, why: "because"))
        #expect(decoder.calls == 2)
        changes.store(2, ordering: .relaxed)
        let error = #expect(throws: SyncError.self) { try Self.verdict(decoder, store) }
        #expect(error?.why == "it changed while it was read")
    }

    @Test("a file that cannot be opened is a failure; one that is gone by then too")
    func unopened() throws {
        let decoder = ScriptedDecoder([nil])
        let denied = FaultyStore(Self.store(), failing: .open, with: .denied)
        #expect(throws: SyncError.self) { try Self.verdict(decoder, denied) }
        #expect(throws: SyncError.self) { try Self.verdict(decoder, MemoryMediaStore()) }
        #expect(decoder.calls == 0)
    }

    @Test("a run that is stopped ends what is decoded")
    func stopped() {
        let decoder = ScriptedDecoder([nil])
        let control = RunControl()
        let decoding = StoreDecoding(store: Self.store(), decoder: decoder, control: control)
        control.stop(SyncError(.interrupted, "stopped by SIGINT"))
        decoding.watch()
        #expect(decoder.isShutDown)
        // One that ends by itself does not.
        let other = ScriptedDecoder([nil])
        let done = StoreDecoding(store: Self.store(), decoder: other, control: RunControl())
        done.end()
        done.watch()
        #expect(!other.isShutDown)
    }
}
