import MediaModel
import MediasyncTesting
import Testing

@Suite struct SnowflakeTests {
    @Test(
        "the lowest number of a moment is its milliseconds in the upper bits; parts of a second are cut off",
        arguments: [
            // 2016-11-24T00:00:00Z, 2026-11-23T00:00:00Z: seconds * 1000 * 65536, by bc.
            (1_479_945_600, 96_989_714_841_600_000), (1_795_392_000, 117_662_810_112_000_000), (0, 0), (-5, 0),
            (Int64.max, Int64.max),
        ] as [(Int64, Int64)]
    )
    func lowest(seconds: Int64, id: Int64) {
        #expect(Snowflake.lowestID(secondsSince1970: seconds) == id)
    }

    @Test("a number tells its second, whatever its lower bits and milliseconds are")
    func inverse() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            let seconds = Int64.random(in: 0...4_000_000_000, using: &random)
            let low = Int64.random(in: 0..<(1000 << 16), using: &random)
            let id = Snowflake.lowestID(secondsSince1970: seconds) + low
            #expect(Snowflake.secondsSince1970(of: id) == seconds, "seed \(seed)")
        }
    }

    @Test(
        "a number of days is a moment before now, said in words and in UTC",
        arguments: [
            (1, "older than 1 day: before 2026-11-22T02:30:01Z"), (7, "older than 7 days: before 2026-11-16T02:30:01Z"),
            (0.5, "older than 0.5 days: before 2026-11-22T14:30:01Z"),
            (0, "older than 0 days: before 2026-11-23T02:30:01Z"),
        ] as [(Double, String)]
    )
    func words(days: Double, expected: String) throws {
        let limit = try #require(AgeLimit(days: days, before: 1_795_401_001_250_000))
        #expect(limit.olderInWords == expected)
        #expect(limit.microsecondsSince1970 % 1_000_000 == 250_000)
        #expect(limit.newerInWords.hasPrefix("of the last "))
    }

    @Test("what is no number of days is refused", arguments: [-1, .nan, .infinity, 36_501] as [Double])
    func refused(days: Double) {
        #expect(AgeLimit(days: days, before: 0) == nil)
    }
}
