import Archives
import MediaModel
import MediasyncTesting

@testable import Dumps

/// Text in memory, cut into pieces.
final class TextPieces: PieceSource {
    private let bytes: UnsafeMutableRawBufferPointer
    private var cuts: [Int]
    private var index = 0

    /// - Parameter cuts: ascending places at which one piece ends and the next begins.
    init(_ text: [UInt8], cuts: [Int] = []) {
        bytes = .allocate(byteCount: max(1, text.count), alignment: 1)
        bytes.copyBytes(from: text)
        self.cuts = cuts.filter { $0 > 0 && $0 < text.count } + [text.count]
    }

    deinit {
        bytes.deallocate()
    }

    func next() -> UnsafeRawBufferPointer? {
        guard let end = cuts.first else { return nil }
        cuts.removeFirst()
        defer { index = end }
        return UnsafeRawBufferPointer(rebasing: bytes[index..<end])
    }

    func close() {}
}

/// Ways to read a dump in tests.
enum DumpReading {
    /// The elements of a text that is cut at some places; the error's text where there is one.
    static func elements(
        _ text: [UInt8],
        cuts: [Int] = [],
        kind: DumpKind = .plain,
        database: String? = nil
    ) -> (elements: [String], error: SyncError?) {
        let recorder = ElementRecorder()
        do throws(SyncError) {
            let visitor = SinkVisitor(recorder, database: database)
            let pieces = TextPieces(text, cuts: cuts)
            _ = try DumpPass.run(pieces, kind: kind, visitor, position: { 0 }, progress: nil)
            try visitor.finish()
            return (recorder.elements, nil)
        } catch {
            return (recorder.elements, error)
        }
    }

    /// What an inspection says of a text.
    static func inspection(_ text: String, kind: DumpKind = .plain) throws -> DumpInspection {
        let visitor = InspectingVisitor(DumpInspection(kind: kind, compression: .none, fileBytes: 0))
        _ = try DumpPass.run(TextPieces(Array(text.utf8)), kind: kind, visitor, position: { 0 }, progress: nil)
        return visitor.result()
    }

    /// Opens a text as a file of its own.
    static func open(_ text: [UInt8], in place: TemporaryDirectory, name: String = "dump") throws -> DumpFile {
        try Disk.write(place.path / BytePath(name), text)
        return try DumpFile.open(place.path / BytePath(name), spoolDirectory: place.path)
    }
}
