internal import MediaModel
internal import MediasyncTesting
internal import Testing

@testable internal import Reporting

@Suite struct HTMLReportTests {
    private static let id = RunID(secondsSince1970: 1_795_400_000, random: 7)
    /// What an attacker would call a file.
    private static let hostile = "<script>document.title='owned'</script>\u{1B}[31m\"'&"

    private func report() -> RunReport {
        var counts = Counts()
        counts.seen = 12_345
        counts.fetched = 12_000
        counts.failed = 345
        counts.bytesWritten = 3 << 30
        var run = RunRecord(
            id: Self.id,
            command: "migrate",
            arguments: ["migrate", Self.hostile],
            source: "/old",
            target: Self.hostile,
            pid: 1,
            startedAt: 1_795_400_000,
            endedAt: 1_795_403_600,
            exitStatus: 3,
            state: .finished,
            counts: counts
        )
        run.stages = [
            RunRecord.Stage(name: "restore/load", startedAt: 1_795_400_000, endedAt: 1_795_401_000),
            RunRecord.Stage(name: "refresh/fetch", startedAt: 1_795_401_000, endedAt: 1_795_403_600),
        ]
        run.failuresKept = 345
        let failure = FailureRecord(
            path: BytePath(Self.hostile),
            kind: .file,
            code: "item",
            what: "cannot fetch \(BytePath(Self.hostile))",
            why: "503",
            hint: "later",
            at: 1
        )
        return RunReport(
            run: run,
            samples: (0..<60).map {
                RunSample(at: 1_795_400_000 + $0 * 60, items: Int($0) * 200, bytes: $0 * 50_000_000)
            },
            sections: [
                ReportSection(title: "Slowest hosts", columns: ["host", "p99"], rows: [[Self.hostile, "8.2 s"]]),
                ReportSection(title: "Lost unless a backup has them", columns: ["file"], rows: [["mine.jpg"]]),
            ],
            failures: [failure]
        )
    }

    @Test("names are text and nothing else, and nothing is taken from elsewhere")
    func safe() {
        let text = HTMLReport.text(report(), now: 0)
        #expect(!text.contains("<script"))
        #expect(text.contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"))
        #expect(!text.contains("\u{1B}"))
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", " style=", "onload"] {
            #expect(!text.contains(outside), "\(outside)")
        }
    }

    @Test("the policy's digest is that of the style", .enabled(if: Requirement.has("openssl"), "needs openssl"))
    func digest() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "style", HTMLReport.style)
        try Program("openssl").check(
            ["dgst", "-sha256", "-binary", "-out"],
            place.path / "digest",
            place.path / "style"
        )
        let encoded = try Program("openssl").check(["base64", "-A", "-in"], place.path / "digest").text
        #expect(encoded == HTMLReport.styleDigest)
    }

    @Test(
        "a browser shows it: stages, throughput, outcomes, hosts, failures, what was lost; and obeys the policy",
        .enabled(if: Requirement.has("chromium"), "needs Chromium")
    )
    func browser() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "report.html", HTMLReport.text(report(), now: 0))
        var browser = Program("chromium")
        browser.environment["HOME"] = "\(place.path)"
        let options = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
            "--user-data-dir=\(place.path)/profile", "--enable-logging=stderr", "--v=0", "--dump-dom",
        ]
        let page = try browser.run(options + ["file://\(place.path)/report.html"], timeout: 120)
        #expect(page.exitCode == 0, "\(page.errorText.suffix(500))")
        let shown = page.text
        #expect(shown.contains("<title>mediasync migrate \(Self.id)</title>"))
        for part in [
            "12,345", "12,000", "345 failures", "Slowest hosts", "8.2 s", "mine.jpg", "finished, exit 3", "1:00:00",
        ] {
            #expect(shown.contains(part), "\(part)")
        }
        #expect(shown.contains("<polyline class=\"bytes\" points=\"13."))
        #expect(shown.contains("<rect class=\"bar\""))
        // A policy that did not fit the page would be told here.
        #expect(!page.errorText.contains("Content Security Policy"))
    }

    @Test("a run that just began has no chart and no failures, and says so by leaving them out")
    func empty() {
        let run = RunRecord(id: Self.id, command: "copy", pid: 1, startedAt: 1_795_400_000)
        let text = HTMLReport.text(RunReport(run: run, samples: [], sections: [], failures: []), now: 1_795_400_005)
        #expect(text.contains("<span class=\"live\">running</span>"))
        #expect(text.contains("<dd>0:05</dd>"))
        #expect(!text.contains("<svg") && !text.contains("failure"))
    }

    @Test("a run that is at work says so in the metrics, beside what the last one left")
    func metricsBegin() {
        let before = "mediasync_exit_status{command=\"copy\"} 0\n"
        let text = MetricsText.begun("copy", at: 17, before: before)
        #expect(text.hasPrefix(before))
        #expect(text.hasSuffix("mediasync_run_started_timestamp_seconds{command=\"copy\"} 17\n"))
        #expect(MetricsText.begun("copy", at: 18, before: text).contains("} 18\n"))
        #expect(!MetricsText.begun("copy", at: 18, before: text).contains("} 17\n"))
    }

    @Test("a run that is at work has its rates and what is left")
    func statusRates() {
        var run = RunRecord(id: Self.id, command: "copy", pid: 1, startedAt: 1000)
        run.stages = [RunRecord.Stage(name: "copy", startedAt: 1000)]
        run.heardAt = 1030
        run.share = 0.25
        let samples = (0...15).map { RunSample(at: 1000 + $0 * 2, items: Int($0) * 20, bytes: $0 * 2 << 20) }
        let text = StatusPrinter.text(run, samples: samples, now: 1030)
        #expect(text.contains("  now       25.0%   10.0/s   1.0 MiB/s   about 1:30 left\n"))
        run.share = nil
        #expect(!StatusPrinter.text(run, samples: [], now: 1030).contains("  now "))
    }
}
