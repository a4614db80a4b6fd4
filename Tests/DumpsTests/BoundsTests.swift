import Archives
import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// What a dump may make of memory and time.
@Suite struct BoundsTests {
    /// One piece handed out again and again between a beginning and an end.
    private final class Repeating: PieceSource {
        private let head: [UInt8]
        private let body: UnsafeMutableRawBufferPointer
        private let tail: [UInt8]
        private var left: Int
        private var kept = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        private var stage = 0

        init(_ head: String, _ body: [UInt8], times: Int, _ tail: String = "") {
            self.head = Array(head.utf8)
            self.tail = Array(tail.utf8)
            self.body = .allocate(byteCount: body.count, alignment: 1)
            self.body.copyBytes(from: body)
            left = times
        }

        deinit {
            body.deallocate()
            kept.deallocate()
        }

        func next() -> UnsafeRawBufferPointer? {
            if stage == 0 || left == 0 && stage == 1 {
                let text = stage == 0 ? head : tail
                stage += 1
                kept.copyBytes(from: text)
                return UnsafeRawBufferPointer(rebasing: kept[..<text.count])
            }
            guard left > 0 else { return nil }
            left -= 1
            return UnsafeRawBufferPointer(body)
        }

        func close() {}
    }

    private static let header = "--\n-- PostgreSQL database dump\n--\n\n"
    private static let trailer = "\n--\n-- PostgreSQL database dump complete\n--\n"
    private static let mebibyte = [UInt8](repeating: 0x0A, count: 1 << 20)

    private func read(
        _ pieces: Repeating,
        bounds: ScanBounds = ScanBounds()
    ) -> (extent: DumpPass.Extent?, error: SyncError?) {
        let visitor = InspectingVisitor(DumpInspection(kind: .plain, compression: .none, fileBytes: 0))
        do throws(SyncError) {
            return (
                try DumpPass.run(pieces, kind: .plain, visitor, bounds: bounds, position: { 0 }, progress: nil), nil
            )
        } catch { return (nil, error) }
    }

    @Test("line feeds without end are empty lines between statements, and rows inside COPY")
    func emptyLines() {
        let lines = read(Repeating(Self.header, Self.mebibyte, times: 32, Self.trailer))
        #expect(lines.extent?.lines == (32 << 20) + 8 && lines.error == nil)
        let copy = Self.header + "COPY public.t  FROM stdin;\n"
        let rows = read(Repeating(copy, Self.mebibyte, times: 8, "\\.\n" + Self.trailer))
        #expect(rows.extent?.lines == (8 << 20) + 10 && rows.error == nil)
    }

    @Test(
        "what has no end is refused once it is longer than its bound, whatever it is",
        arguments: [
            ("A '", "a"), ("A E'", "a"), ("A ", "a"), ("A $$", "a"), ("A $$", "$"), ("A \"", "a"), ("A (", ";"),
            ("A /*", "a"),
            ("A --", "a"), ("CREATE BEGIN ATOMIC ", ";"), ("A ", "\\"),
        ]
    )
    func endless(head: String, part: String) {
        let body = Array(String(repeating: part, count: 1 << 16).utf8)
        let bounds = ScanBounds(statementMax: 1 << 20, rowMax: 1 << 20)
        let result = read(Repeating(Self.header + head, body, times: 17), bounds: bounds)
        #expect(result.error?.why == "the statement is longer than 1.0 MiB")
        #expect(result.error?.what == "the dump is broken at line 5")
    }

    @Test("a row without end, a tag without end, and comments and commands that are cut short")
    func others() {
        let body = [UInt8](repeating: 0x61, count: 1 << 16)
        let bounds = ScanBounds(statementMax: 1 << 20, rowMax: 1 << 20)
        let row = read(Repeating(Self.header + "COPY public.t (a) FROM stdin;\n", body, times: 17), bounds: bounds)
        #expect(row.error?.why == "the row is longer than 1.0 MiB" && row.error?.what == "the dump is broken at line 6")
        #expect(read(Repeating(Self.header + "A $", body, times: 1)).error?.why?.contains("dollar quote") == true)
        // Of these nothing is kept beyond their first bytes: they may be as long as they like.
        let comment = read(Repeating(Self.header + "--", body, times: 32, "\n" + Self.trailer), bounds: bounds)
        #expect(comment.error == nil && comment.extent?.lines == 9)
        let block = read(Repeating(Self.header + "/*", body, times: 32, "*/" + Self.trailer), bounds: bounds)
        #expect(block.error == nil)
    }

    @Test("the bounds are what the documents say")
    func defaults() {
        #expect(ScanBounds().statementMax == 64 << 20 && ScanBounds().rowMax == 1 << 30)
    }

    @Test("rows are handed over in pieces of the buffer, not one by one")
    func largePieces() throws {
        let place = try TemporaryDirectory()
        let rows = (0..<200_000).map { "\($0)\talice\t\\N\n" }.joined()
        let file = try DumpReading.open(Array(DumpText(accountRows: rows).text().utf8), in: place)
        let sink = ElementRecorder()
        try PlainDumpReader.read(file, into: sink)
        #expect(sink.pieces < 20)
    }
}
