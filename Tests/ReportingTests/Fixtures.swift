internal import MediaModel
internal import Reporting
internal import Synchronization

/// Keeps what was written.
final class MemoryOutput: ByteOutput {
    private let bytes = Mutex<[UInt8]>([])

    func write(_ piece: [UInt8]) { bytes.withLock { $0 += piece } }
    var failure: SyncError? { nil }
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// Numbers of an engine, set by the test.
final class FakeEngine: Sendable {
    private let sample = Mutex(ProgressSample(counts: Counts()))

    var current: ProgressSample {
        get { sample.withLock { $0 } }
        set { sample.withLock { $0 = newValue } }
    }
}

let sampleRun = RunID(secondsSince1970: 1_795_400_000, random: 0x5f0c_9a1e)

/// The counts of a run in which everything happened.
var busyCounts: Counts {
    var counts = Counts()
    counts.seen = 812_440
    counts.copied = 1_204
    counts.created = 310
    counts.linked = 2
    counts.updated = 12
    counts.unchanged = 810_890
    counts.failed = 4
    counts.skipped = [.excluded: 17, .special: 1]
    counts.deleted = 31
    counts.deleteFailed = 1
    counts.sourceChanged = 1
    counts.files = 203_110
    counts.directories = 609_329
    counts.others = 1
    counts.bytesWritten = 4_187_593_113
    counts.bytesSeen = 230_425_001_984
    counts.bytesDeleted = 3_145_728
    return counts
}

func busySummary(_ status: ExitStatus = .itemsFailed, fatal: SyncError? = nil, isDryRun: Bool = false) -> Summary {
    Summary(
        run: sampleRun,
        command: "copy",
        counts: busyCounts,
        elapsed: .milliseconds(161_250),
        status: status,
        fatal: fatal,
        isDryRun: isDryRun
    )
}

let noSpace = SyncError(
    .exhausted,
    "could not write b/one.jpg",
    why: "No space left on device (ENOSPC, write)",
    hint: "free space"
)

func failedItem(_ path: String = "a/photo.jpg") -> ItemEvent {
    ItemEvent(
        path: BytePath(path),
        kind: .file,
        outcome: .failed(SyncError(.item, "could not read \(path)", why: "Permission denied (EACCES, open)"))
    )
}
