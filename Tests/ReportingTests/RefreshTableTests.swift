import MediaModel
import Reporting
import Testing

@Suite struct RefreshTableTests {
    @Test("kinds that were seen are rows, reasons follow, and what is not shown is added up")
    func text() {
        var tally = RefreshTally()
        tally.seen = 1200
        tally.fetched = 7
        tally.bytes = 2048
        tally.failed = 1193
        let lines = [
            RefreshTallyLine(kind: "attachment", title: "attachments", tally: tally),
            RefreshTallyLine(kind: "emoji", title: "custom emoji", tally: RefreshTally()),
        ]
        let reasons = (1...14).map { (reason: "r\($0)", count: $0) }
        let text = RefreshTable.text(lines, reasons)
        let rows = text.split(separator: "\n")
        #expect(rows.count == 3)
        #expect(rows[0] == "              SEEN  FETCHED     SIZE  PRESENT  GONE  SKIPPED  CHANGED  FAILED")
        #expect(rows[1] == "attachments  1,200        7  2.0 KiB        0     0        0        0   1,193")
        #expect(rows[2].hasPrefix("failed by reason: r1 1, r2 2"))
        #expect(rows[2].hasSuffix("r12 12, other 27"))
        #expect(RefreshTable.text([], []) == "")
        var hosts = RefreshHosts()
        hosts.asked = 1213
        hosts.slowest = [.init(name: "slow.example", seconds: 8.2), .init(name: "other.example", seconds: 0.3)]
        let told = RefreshTable.text(lines, [], hosts).split(separator: "\n")
        #expect(told.last == "hosts: 1,213; slowest slow.example 8.2 s, other.example 0.3 s")
        hosts.throttled = 6
        hosts.silent = 2
        hosts.slowest = []
        let paused = RefreshTable.text(lines, [], hosts).split(separator: "\n")
        #expect(paused.last == "hosts: 1,213, 6 asked for a pause, 2 did not answer")
        let json = String(decoding: RefreshTable.json([], [], hosts), as: UTF8.self)
        #expect(json == "{\"type\":\"hosts\",\"asked\":1213,\"throttled\":6,\"silent\":2,\"slowest\":[]}\n")
    }
}
