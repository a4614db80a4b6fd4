import MediaModel
import Testing

@Suite struct ValueTests {
    @Test(
        "sizes people type",
        arguments: [
            ("20M", 20_971_520), ("1.5G", 1_610_612_736), ("512k", 524_288), ("4096", 4096), ("10MB", 10_000_000),
            ("10MiB", 10_485_760), ("0", 0), ("", nil), ("M", nil), ("-1", nil), ("1X", nil), ("9999999999T", nil),
        ] as [(String, Int64?)]
    )
    func parseSize(text: String, expected: Int64?) {
        #expect(ByteCount.parse(text) == expected)
    }

    @Test(
        "sizes for people",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (1_048_575, "1.0 MiB"),
            (230_000_000_000, "214.2 GiB"),
        ] as [(Int64, String)]
    )
    func describeSize(bytes: Int64, expected: String) {
        #expect(ByteCount.describe(bytes) == expected)
    }

    @Test(
        "moments in UTC, from `date -u`",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_401_001, "2026-11-23T02:30:01Z"),
            (-1, "1969-12-31T23:59:59Z"), (4_102_444_799, "2099-12-31T23:59:59Z"),
            (-315_619_200, "1960-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func utc(seconds: Int64, expected: String) {
        #expect(UTCTime(secondsSince1970: seconds).iso8601 == expected)
    }

    @Test("a run's name is read back, and nothing else is")
    func runID() {
        let run = RunID(secondsSince1970: 1_795_401_001, random: 0x5f0c)
        #expect(run.text == "20261123-023001-00005f0c")
        #expect(RunID(run.text) == run)
        #expect(run.following(0) == run)
        #expect(run.following(0x10).text == run.text.dropLast(8) + "00005f1c")
        #expect(RunID(secondsSince1970: 0, random: .max).following(1) == RunID(secondsSince1970: 0, random: 0))
        for wrong in ["", "20261123-023001-0000XF0c", "../../etc/passwd/aaaaaaaa", run.text + "0"] {
            #expect(RunID(wrong) == nil)
        }
    }

    @Test("a digest is read from hexadecimal, and wrong ones are refused")
    func digest() {
        let text = "99aa06d3014798d86001c324468d497f"
        #expect(Digest(algorithm: .xxh3, hexadecimal: Array(text.utf8))?.hexadecimal == text)
        #expect(Digest(algorithm: .sha256, hexadecimal: Array(text.utf8)) == nil)
        #expect(Digest(algorithm: .xxh3, hexadecimal: Array("zz".utf8) + Array(text.utf8.dropFirst(2))) == nil)
    }

    @Test("counts balance only when every entry seen has an outcome")
    func balance() {
        var counts = Counts()
        counts.seen = 3
        counts.copied = 1
        counts.skipped[.excluded] = 1
        #expect(!counts.balances)
        counts.failed = 1
        #expect(counts.balances)
    }

    @Test("a media root is told from its neighbours")
    func layout() {
        func names(_ list: [String]) -> Set<BytePath> { Set(list.map { BytePath($0) }) }
        func position(_ own: String, _ children: [String], system: [String]? = nil) -> MediaLayout.Position {
            MediaLayout.position(
                ownName: BytePath(own),
                children: names(children),
                childrenOfSystem: system.map(names)
            )
        }
        #expect(position("system", ["media_attachments", "accounts", "cache"]) == .root)
        #expect(position("system", ["accounts", "cache"]) == .root)
        #expect(position("public", ["system", "packs"], system: ["accounts", "cache"]) == .above(BytePath("system")))
        #expect(position("accounts", ["avatars", "headers"]) == .below)
        #expect(position("etc", ["passwd"]) == .elsewhere)
        #expect(position("home", ["cache"]) == .elsewhere)
    }
}
