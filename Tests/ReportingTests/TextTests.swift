internal import MediaModel
internal import Testing

@testable internal import Reporting

@Suite struct TextTests {
    @Test(
        "itemized lines have rsync's columns",
        arguments: [
            (.file, .copied, .new, ">f+++++++++ p"), (.directory, .created, .new, "cd+++++++++ p/"),
            (.symlink, .created, .new, "cL+++++++++ p"), (.symlink, .created, .kind, "cLc........ p"),
            (.file, .linked, .new, "hf+++++++++ p"), (.directory, .updated, .time, ".d..t...... p/"),
            (.file, .copied, [.size, .time], ">f.st...... p"), (.file, .copied, .content, ">fc........ p"),
            (.file, .updated, [.mode, .owner, .group, .acl, .xattr], ".f...pog.ax p"),
            (.fifo, .created, .new, "cS+++++++++ p"), (.characterDevice, .created, .new, "cD+++++++++ p"),
            (.file, .copied, .kind, ">f+++++++++ p"), (.file, .deleted, [], "*deleting   p"),
            (.directory, .deleted, [], "*deleting   p/"), (.file, .unchanged, [], ".f          p"),
            (.file, .skipped(.excluded), [], nil),
        ] as [(EntryKind, Outcome, ChangeSet, String?)]
    )
    func itemized(kind: EntryKind, outcome: Outcome, changes: ChangeSet, expected: String?) {
        let item = ItemEvent(path: BytePath("p"), kind: kind, outcome: outcome, changes: changes)
        #expect(ItemizedLine.text(item) == expected)
    }

    @Test("the tree's root is ./ in itemized lines")
    func itemizedRoot() {
        let item = ItemEvent(path: .root, kind: .directory, outcome: .updated, changes: .time)
        #expect(ItemizedLine.text(item) == ".d..t...... ./")
    }

    @Test(
        "durations have hours only where there are some",
        arguments: [(0, "0:00"), (7, "0:07"), (252, "4:12"), (3_599, "59:59"), (3_723, "1:02:03"), (-1, "0:00")]
    )
    func clock(seconds: Int, expected: String) {
        #expect(NumberText.clock(seconds: seconds) == expected)
    }

    @Test(
        "numbers are grouped by thousands",
        arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (812_440, "812,440"), (-1_234_567, "-1,234,567")]
    )
    func grouped(number: Int, expected: String) {
        #expect(NumberText.grouped(number) == expected)
    }

    @Test("a share is never rounded up to the whole")
    func percent() {
        #expect(NumberText.percent(0.99999) == "99.9%")
        #expect(NumberText.percent(1) == "100.0%")
        #expect(NumberText.oneDecimal(.nan) == "0.0")
        #expect(NumberText.oneDecimal(-0.5) == "-0.5")
    }

    @Test(
        "JSON strings are escaped so that one object stays on one line",
        arguments: [
            ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t\u{1}", #""\n\r\t\u0001""#),
            ("\u{7f}\u{9b}\u{2028}", #""\u007f\u009b\u2028""#),
            ("é🐘", #""é🐘""#), ("", #""""#),
        ]
    )
    func jsonStrings(text: String, expected: String) {
        var object = JSONObject()
        object.set("k", text)
        #expect(String(decoding: object.bytes, as: UTF8.self) == #"{"k":\#(expected)}"#)
    }

    @Test("a path that is not UTF-8 is escaped for reading and given exactly in base64")
    func jsonPaths() {
        var object = JSONObject()
        object.set(path: BytePath(bytes: [0x61, 0xff, 0x0a]))
        #expect(String(decoding: object.bytes, as: UTF8.self) == #"{"path":"a\\xff\\x0a","path_b64":"Yf8K"}"#)
        var plain = JSONObject()
        plain.set(path: BytePath("a\\b\n"))
        #expect(String(decoding: plain.bytes, as: UTF8.self) == #"{"path":"a\\b\n"}"#)
    }

    @Test(
        "base64 has its padding",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ]
    )
    func base64(text: String, expected: String) {
        #expect(Base64.encode(Array(text.utf8)) == expected)
    }

    @Test(
        "colour and redrawing follow the flag, then the terminal, NO_COLOR and TERM",
        arguments: [
            (true, .auto, [:], true, true), (false, .auto, [:], false, false), (false, .always, [:], false, true),
            (true, .never, [:], true, false), (true, .auto, ["NO_COLOR": "1"], true, false),
            (true, .auto, ["NO_COLOR": ""], true, true), (true, .auto, ["TERM": "dumb"], false, false),
            (true, .always, ["TERM": "dumb", "NO_COLOR": "1"], false, true),
        ] as [(Bool, ColorChoice, [String: String], Bool, Bool)]
    )
    func terminal(
        isTerminal: Bool,
        color: ColorChoice,
        environment: [String: String],
        redraws: Bool,
        usesColor: Bool
    ) {
        let support = TerminalSupport(isTerminal: isTerminal, color: color, environment: environment)
        #expect(support == TerminalSupport(canRedraw: redraws, usesColor: usesColor))
    }

    @Test("errors say what, why and what to do; a refusal says so")
    func errorBlocks() {
        #expect(
            ErrorText.block(noSpace)
                == "error: could not write b/one.jpg\n  why:  No space left on device (ENOSPC, write)\n  hint: free space\n"
        )
        #expect(ErrorText.block(SyncError(.refused, "the source is empty")) == "refusing: the source is empty\n")
        #expect(ErrorText.warning(SyncError(.item, "w")) == "warning: w\n")
        #expect(ErrorText.block(SyncError(.usage, "x"), usesColor: true) == "\u{1b}[31;1merror:\u{1b}[0m x\n")
    }

    @Test(
        "the final report, its statistics, its JSON and its metrics",
        arguments: [MediaModel.ExitStatus.itemsFailed, .done]
    )
    func summaries(status: MediaModel.ExitStatus) throws {
        var summary = busySummary(status)
        if status == .done {
            summary.counts = Counts()
            summary.counts.seen = 3
            summary.counts.unchanged = 3
            summary.isDryRun = true
        }
        try expectGolden(SummaryText.text(summary), "summary-\(status).txt")
        try expectGolden(SummaryText.stats(summary), "stats-\(status).txt")
        try expectGolden(String(decoding: summary.jsonLine, as: UTF8.self), "summary-\(status).jsonl")
        try expectGolden(
            MetricsText.text(summary, endedAt: 1_795_400_161, lastSuccess: 1_795_300_000),
            "metrics-\(status).prom"
        )
    }

    @Test(
        "every exit status has a verdict, and a closing line unless all is well",
        arguments: MediaModel.ExitStatus.allCases
    )
    func closing(status: MediaModel.ExitStatus) {
        let summary = busySummary(status)
        #expect(["finished", "stopped", "failed"].contains(summary.verdict))
        #expect((SummaryText.closing(summary) == nil) == (status == .done))
        #expect(SummaryText.closing(summary)?.contains("\(status.rawValue)") ?? true)
    }
}
