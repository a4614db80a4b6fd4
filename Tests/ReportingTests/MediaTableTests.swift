import MediaModel
import Reporting
import Testing

@Suite struct MediaTableTests {
    private static func line(_ kind: String, _ isLocal: Bool, rows: Int, missing: Int = 0) -> MediaTallyLine {
        var tally = MediaTally()
        tally.rows = rows
        tally.files = 2 * rows
        tally.missing = missing
        tally.bytesOnDisk = 2048
        return MediaTallyLine(kind: kind, title: "\(kind)s", isLocal: isLocal, tally: tally)
    }

    @Test("a table of rows and files: local first, a sum where there are several kinds, empty lines left out")
    func text() {
        let lines = [
            Self.line("avatar", true, rows: 1), Self.line("header", true, rows: 0),
            Self.line("avatar", false, rows: 1200, missing: 3), Self.line("header", false, rows: 5),
        ]
        #expect(
            MediaTable.text(lines) == """
                                 ROWS  FILES  MISSING  EMPTY  DIFFERENT  FAILED  ON DISK
                local avatars       1      2        0      0          0       0  2.0 KiB
                remote avatars  1,200  2,400        3      0          0       0  2.0 KiB
                remote headers      5     10        0      0          0       0  2.0 KiB
                remote, all     1,205  2,410        3      0          0       0  4.0 KiB

                """
        )
        #expect(MediaTable.text([]).isEmpty)
    }

    @Test("the same as JSON, one object a line")
    func json() {
        let text = String(decoding: MediaTable.json([Self.line("avatar", false, rows: 3, missing: 1)]), as: UTF8.self)
        #expect(
            text == """
                {"type":"media","kind":"avatar","local":false,"rows":3,"files":6,"missing":1,"empty":0,"different":0,\
                "failed":0,"bytes_in_rows":0,"bytes_on_disk":2048}

                """
        )
    }

    @Test("how much there is, by place; what the disk has more is marked")
    func usage() {
        var local = MediaUsage(kind: "avatar", title: "avatars", isCached: false)
        local.rows = 1
        local.bytesInRows = 1024
        local.files = 2
        local.bytesOfOriginals = 2048
        var unknown = MediaUsage(kind: "", title: "not recognized", isCached: false)
        unknown.files = 1
        unknown.bytesOfOthers = 5
        var cached = MediaUsage(kind: "card", title: "preview cards", isCached: true)
        cached.rows = 7
        cached.bytesInRows = 10
        #expect(
            UsageTable.text([local, unknown, cached]) == """
                                     ROWS  ROWS SAY  FILES  ORIGINALS  OTHERS  DIFFERENCE
                avatars                 1   1.0 KiB      2    2.0 KiB     0 B    +1.0 KiB
                not recognized          0       0 B      1        0 B     5 B         0 B
                all but cache/          1   1.0 KiB      3    2.0 KiB     5 B    +1.0 KiB
                cache/preview cards     7      10 B      0        0 B     0 B       -10 B

                """
        )
        #expect(UsageTable.text([]) == "no media\n")
        let json = String(decoding: UsageTable.json([unknown]), as: UTF8.self)
        #expect(json.hasPrefix("{\"type\":\"usage\",\"v\":1,\"kind\":null,\"cached\":false,"))
    }

    @Test("whose a file is; names of strangers cannot drive the terminal")
    func lookup() {
        var answer = MediaAnswer(path: BytePath("accounts/avatars/000/000/001/original/a.png"), kind: "avatar", id: 1)
        #expect(LookupText.text(answer).contains("row      none: avatar 1 is not in the database\n"))
        answer.hasRow = true
        answer.account = "evil\u{1b}[31m"
        answer.statusID = 5
        answer.statusURL = "https://x.example/5\nrow      forged"
        let text = LookupText.text(answer)
        #expect(text.contains("account  @evil\\x1b[31m\n"))
        #expect(text.contains("an orphan"))
        #expect(text.split(separator: "\n").count == 6)
        let json = String(decoding: LookupText.json(answer), as: UTF8.self)
        #expect(json.contains("\"status\":\"5\",\"status_url\":\"https://x.example/5\\nrow      forged\""))
        #expect(json.contains("\"record\":\"avatar\",\"id\":\"1\",\"found\":true,\"current\":false,\"local\":true"))
    }
}
