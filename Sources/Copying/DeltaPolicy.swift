internal import Delta
internal import MediaModel

/// Decides for which files it pays to look for what is new in them, and learns from what came of it.
///
/// A description costs a hundredth of the older version's bytes on the line, one more read of it, and the work of two
/// machines. Files of one kind (the ending of the name, and whether the size stayed) mostly change in one way: where eight
/// of them had little in common with what was there, the others come whole, and only one of 32 is tried again.
struct DeltaPolicy {
    /// What files have in common.
    struct Kind: Hashable {
        let ending: [UInt8]
        let keepsSize: Bool

        init(_ name: BytePath, keepsSize: Bool) {
            self.keepsSize = keepsSize
            guard let dot = name.bytes.lastIndex(of: UInt8(ascii: ".")), name.bytes.count - dot <= Self.endingMax else {
                ending = []
                return
            }
            ending = name.bytes[(dot + 1)...].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        }

        private static let endingMax = 9
    }

    private struct Record {
        var files = 0
        var bytes: Int64 = 0
        var matchedBytes: Int64 = 0
        var passedOver = 0

        var isPoor: Bool {
            files >= DeltaPolicy.filesTried && bytes >= DeltaPolicy.bytesTried
                && matchedBytes < bytes / DeltaPolicy.shareMin
        }
    }

    /// Below this the work costs more than the bytes on a line of a gigabit a second.
    static let bytesMin: Int64 = 16 << 10
    /// Checksums may be one in so many of the new file's bytes.
    private static let signatureShare: Int64 = 8
    private static let filesTried = 8
    private static let bytesTried: Int64 = 1 << 20
    /// One in so many bytes must be there already.
    private static let shareMin: Int64 = 16
    private static let probeEvery = 32
    private static let kindsMax = 256

    let mode: CopyOptions.DeltaMode
    private var records: [Kind: Record] = [:]

    init(_ mode: CopyOptions.DeltaMode) {
        self.mode = mode
    }

    /// How the older version is to be described; nil where the new one comes whole.
    mutating func plan(_ name: BytePath, oldBytes: Int64, newBytes: Int64) -> BlockPlan? {
        guard mode != .never, newBytes > 0, let plan = BlockPlan(fileBytes: oldBytes) else { return nil }
        if mode == .always { return plan }
        guard min(oldBytes, newBytes) >= Self.bytesMin,
            Int64(plan.blockCount * Signature.bytesEach(plan)) <= newBytes / Self.signatureShare
        else { return nil }
        let kind = Kind(name, keepsSize: oldBytes == newBytes)
        guard var record = records[kind], record.isPoor else { return plan }
        record.passedOver += 1
        records[kind] = record
        return record.passedOver.isMultiple(of: Self.probeEvery) ? plan : nil
    }

    /// Whether files of this kind had little in common with their older versions.
    func isPoor(_ kind: Kind) -> Bool { mode == .auto && records[kind]?.isPoor ?? false }

    /// What came of a file that was built from an older version.
    mutating func learn(_ kind: Kind, bytes: Int64, matchedBytes: Int64) {
        guard records[kind] != nil || records.count < Self.kindsMax else { return }
        records[kind, default: Record()].files += 1
        records[kind, default: Record()].bytes += bytes
        records[kind, default: Record()].matchedBytes += matchedBytes
    }
}
