import Benchmark
import Dumps
import Foundation
import MediaModel

/// Passes over a plain dump that lies in the page cache. One iteration reads 256 MiB, so that a wall clock of 640 ms is
/// 400 MiB a second. `long rows` are posts, `short rows` follows; INSERT statements are read token by token.
let benchmarks: @Sendable () -> Void = {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .cpuTotal, .peakMemoryResident],
        warmupIterations: 1,
        maxDuration: .seconds(8),
        maxIterations: 30
    )

    for shape in GeneratedDump.Shape.allCases {
        Benchmark("inspect, \(shape.rawValue)", configuration: configuration) {
            (benchmark: Benchmark, dump: GeneratedDump) in
            for _ in benchmark.scaledIterations {
                let inspection = try DumpInspector.inspect(dump.file)
                precondition(inspection.mastodonDatabase?.rows == dump.rows, "rows were lost")
            }
        } setup: {
            try GeneratedDump(shape)
        } teardown: {
            try GeneratedDump.remove()
        }
    }
    Benchmark("read into nothing, long rows", configuration: configuration) {
        (benchmark: Benchmark, dump: GeneratedDump) in
        for _ in benchmark.scaledIterations { try PlainDumpReader.read(dump.file, into: Nothing()) }
    } setup: {
        try GeneratedDump(.long)
    } teardown: {
        try GeneratedDump.remove()
    }
}

/// A sink that keeps nothing.
final class Nothing: DumpElementSink {
    func statement(_ statement: DumpStatement) {}
    func copyBegins(_ header: CopyHeader) {}
    func copyRows(_ bytes: UnsafeRawBufferPointer, rows: Int, line: Int) {}
    func copyEnds(rows: Int) {}
}

/// A dump in a temporary file of this process.
struct GeneratedDump: Sendable {
    enum Shape: String, CaseIterable {
        case long = "long rows"
        case short = "short rows"
        case inserts = "INSERT statements"
    }

    private static let path = FileManager.default.temporaryDirectory.path + "/mediasync-dump.\(getpid())"
    private static let bytes = 256 << 20

    let file: DumpFile
    let rows: Int

    init(_ shape: Shape) throws {
        var text = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
        for table in ["accounts", "media_attachments", "schema_migrations", "statuses"] {
            text += "CREATE TABLE public.\(table) (\n    id bigint NOT NULL\n);\n\n"
        }
        FileManager.default.createFile(atPath: Self.path, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: Self.path) else { throw CocoaError(.fileWriteUnknown) }
        if shape != .inserts { text += "COPY public.statuses (id, account_id, text) FROM stdin;\n" }
        try handle.write(contentsOf: Data(text.utf8))
        let (block, blockRows) = Self.block(shape)
        let count = Self.bytes / block.count
        for _ in 0..<count { try handle.write(contentsOf: block) }
        let end = shape == .inserts ? "" : "\\.\n"
        try handle.write(contentsOf: Data((end + "\n--\n-- PostgreSQL database dump complete\n--\n\n").utf8))
        try handle.close()
        rows = count * blockRows
        file = try DumpFile.open(BytePath(Self.path), spoolDirectory: BytePath("/tmp"))
    }

    /// About a mebibyte of rows of lengths that differ.
    private static func block(_ shape: Shape) -> (Data, Int) {
        let words = "<p>the quick brown fox \\n jumps over <a href=\"https://example.org/@lazy\">the lazy dog</a></p> "
        var text = ""
        var rows = 0
        while text.utf8.count < 1 << 20 {
            let id = 115_000_000_000_000_000 + rows * 7919
            let long = String(repeating: words, count: 2 + rows % 9)
            switch shape {
            case .long: text += "\(id)\t\(rows)\t\(long)\t\\N\t2026-11-20 10:00:00.123456\tf\n"
            case .short: text += "\(id)\t\(rows)\t\(rows * 3)\t2026-11-20 10:00:00.123\n"
            case .inserts: text += "INSERT INTO public.statuses VALUES (\(id), \(rows), '\(long)', NULL, false);\n"
            }
            rows += 1
        }
        return (Data(text.utf8), rows)
    }

    static func remove() throws {
        try FileManager.default.removeItem(atPath: path)
    }
}
