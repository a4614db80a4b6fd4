internal import Foundation
internal import Glibc
internal import MediaModel
internal import MediasyncTesting
internal import Reporting
internal import Testing

@Suite struct LineWriterTests {
    init() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// A pipe's two ends.
    private func makePipe() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test("a reader that went away is reported and later pieces are dropped")
    func closedPipe() {
        let ends = makePipe()
        let writer = LineWriter(descriptor: ends.write)
        close(ends.read)
        writer.write("one\n")
        writer.write("two\n")
        #expect(writer.outputClosed)
        #expect(writer.failure?.why == "EPIPE, write")
        close(ends.write)
    }

    @Test("a full disk is an error, not a reader that went away")
    func fullDisk() {
        let descriptor = open("/dev/full", O_WRONLY)
        let writer = LineWriter(descriptor: descriptor)
        writer.write("x")
        #expect(writer.failure?.code == .unexpected)
        #expect(!writer.outputClosed)
        close(descriptor)
    }

    @Test("a non-blocking pipe that is full is waited for")
    func nonBlocking() async {
        let ends = makePipe()
        _ = fcntl(ends.write, F_SETFL, O_NONBLOCK)
        let writer = LineWriter(descriptor: ends.write)
        let reader = Thread {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while read(ends.read, &buffer, buffer.count) > 0 {}
        }
        reader.start()
        writer.write([UInt8](repeating: 0x61, count: 1 << 20))
        #expect(writer.failure == nil)
        close(ends.write)
    }

    @Test("the metrics file is replaced as a whole and can be read by others")
    func metricsFile() throws {
        let tree = try TemporaryTree()
        let path = tree.url.path + "/run.prom"
        try MetricsFile.write("one\n", to: path, unique: "a")
        try MetricsFile.write("two\n", to: path, unique: "b")
        #expect(MetricsFile.read(path) == "two\n")
        #expect(tree.mode(Array("run.prom".utf8)) == 0o644)
        #expect(try FileManager.default.contentsOfDirectory(atPath: tree.url.path) == ["run.prom"])
    }

    @Test("a metrics file that cannot be written is an error with a hint")
    func metricsFileRefused() {
        #expect {
            try MetricsFile.write("x", to: "/nonexistent/run.prom", unique: "a")
        } throws: { error in
            (error as? SyncError)?.code == .configuration && (error as? SyncError)?.hint != nil
        }
    }

    @Test("stages and a command's own figures are in the summary and the metrics; labels cannot be forged")
    func figures() {
        var summary = busySummary(.done)
        summary.command = "restore"
        summary.stages = [
            StageTime(stage: "load", elapsed: .milliseconds(2500)), StageTime(stage: "a\"b\n", elapsed: .zero),
        ]
        summary.figures = [Figure("rows", 1234, "Rows that were loaded.")]
        let text = MetricsText.text(summary, endedAt: 200, lastSuccess: nil)
        for line in [
            "mediasync_stage_seconds{command=\"restore\",stage=\"load\"} 2.5",
            "mediasync_stage_seconds{command=\"restore\",stage=\"a\\\"b\\n\"} 0.0",
            "# HELP mediasync_restore_rows Rows that were loaded.", "mediasync_restore_rows{command=\"restore\"} 1234",
        ] { #expect(text.contains("\n\(line)\n"), "\(text)") }
        let json = String(decoding: summary.jsonLine, as: UTF8.self)
        #expect(
            json.contains(
                #""figures":{"rows":1234},"stages":[{"stage":"load","elapsed_s":2.5},{"stage":"a\"b\n","elapsed_s":0.0}]"#
            )
        )
        #expect(SummaryText.text(summary).contains("\n  time      load 2.5 s   a"))
    }

    @Test("the last success is kept from an older metrics file")
    func lastSuccess() {
        let text = MetricsText.text(busySummary(), endedAt: 200, lastSuccess: 100)
        #expect(MetricsText.lastSuccess(of: "copy", in: text) == 100)
        #expect(MetricsText.lastSuccess(of: "verify", in: text) == nil)
    }
}
