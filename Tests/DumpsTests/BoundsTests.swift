import Glibc
import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// What a dump may make of memory and time.
@Suite(.serialized) struct BoundsTests {
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

    private func read(_ pieces: Repeating) -> (extent: DumpPass.Extent?, error: SyncError?) {
        let visitor = InspectingVisitor(DumpInspection(kind: .plain, compression: .none, fileBytes: 0))
        do throws(SyncError) {
            return (try DumpPass.run(pieces, kind: .plain, visitor, position: { 0 }, progress: nil), nil)
        } catch { return (nil, error) }
    }

    /// Resident memory of this process, in bytes.
    private func residentBytes() -> Int {
        let pages = (try? Disk.text(BytePath("/proc/self/statm")))?.split(separator: " ").dropFirst().first
        return pages.flatMap { Int($0) }.map { $0 * 4096 } ?? 0
    }

    @Test("a gibibyte of line feeds between statements is a gibibyte of empty lines")
    func emptyLines() {
        let before = residentBytes()
        let result = read(Repeating(Self.header, Self.mebibyte, times: 1024, Self.trailer))
        #expect(result.extent?.lines == (1 << 30) + 8 && result.error == nil)
        #expect(residentBytes() - before < 64 << 20)
    }

    @Test("as rows they are counted; as anything else they are too long, and memory stays bounded")
    func endless() {
        let before = residentBytes()
        let copy = Self.header + "COPY public.t  FROM stdin;\n"
        let rows = read(Repeating(copy, Self.mebibyte, times: 64, "\\.\n" + Self.trailer))
        #expect(rows.extent?.lines == (64 << 20) + 10 && rows.error == nil)
        for (head, byte) in [
            ("A '", 0x61), ("A ", 0x61), ("A $$", 0x61), ("A \"", 0x61), ("A (", 0x3B), ("A /*", 0x61),
        ] {
            let body = [UInt8](repeating: UInt8(byte), count: 1 << 20)
            let result = read(Repeating(Self.header + head, body, times: 65))
            #expect(result.error?.why?.contains("longer than 64.0 MiB") == true, "\(head)")
        }
        let tag = read(Repeating(Self.header + "A $", [UInt8](repeating: 0x61, count: 4096), times: 2))
        #expect(tag.error?.code == .unusable)
        for head in ["--", "\\", "/*"] {
            let body = [UInt8](repeating: 0x61, count: 1 << 20)
            #expect(read(Repeating(Self.header + head, body, times: 100)).error?.code == .unusable)
        }
        // The statement that was too long has been let go.
        #expect(residentBytes() - before < 300 << 20)
    }

    @Test("a row of more than a gibibyte is refused")
    func endlessRow() {
        let body = [UInt8](repeating: 0x61, count: 64 << 20)
        let result = read(Repeating(Self.header + "COPY public.t (a) FROM stdin;\n", body, times: 17))
        #expect(result.error?.why?.contains("longer than 1.0 GiB") == true)
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
