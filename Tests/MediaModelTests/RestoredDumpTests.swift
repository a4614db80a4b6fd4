import MediaModel
import Testing

@Suite struct RestoredDumpTests {
    @Test("what is written at a database is read again", arguments: RestoredDump.Source.allCases)
    func roundTrip(source: RestoredDump.Source) {
        let dump = RestoredDump(madeAt: 1_795_168_800, source: source)
        #expect(dump.comment == "mediasync: dump of 2026-11-20T10:00:00Z (1795168800, \(source.rawValue))")
        #expect(RestoredDump(comment: dump.comment) == dump)
        #expect(RestoredDump(comment: "mediasync: live until run x; " + dump.comment) == dump)
    }

    @Test(
        "what somebody else wrote is no dump's time",
        arguments: [
            "", "our server", "mediasync: stage of run x", "mediasync: dump of ", "mediasync: dump of 2026 (x, header)",
            "mediasync: dump of 2026 (-5, header)", "mediasync: dump of 2026 (99999999999999999999, header)",
            "mediasync: dump of 2026 (999999999999, header)", "mediasync: dump of 2026 (1795168800, guess)",
            "mediasync: dump of 2026 (1795168800)", "mediasync: dump of 2026 (1795168800, header) and more",
        ]
    )
    func strangers(comment: String) {
        #expect(RestoredDump(comment: comment) == nil)
    }
}
