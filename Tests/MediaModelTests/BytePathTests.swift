import MediaModel
import Testing

@Suite struct BytePathTests {
    @Test(
        "names are escaped so that they cannot forge lines or drive a terminal",
        arguments: [
            ([0x61, 0x0a, 0x62], #"a\x0ab"#),
            ([0x1b, 0x5b, 0x32, 0x4a], #"\x1b[2J"#),
            ([0xff, 0xfe, 0x61], #"\xff\xfea"#),
            ([0xc3, 0xa9], "é"),
            ([0xc3], #"\xc3"#),
            ([0xc3, 0x28], #"\xc3("#),
            ([0xe2, 0x80, 0xae], #"\xe2\x80\xae"#),
            ([0x5c], #"\x5c"#),
            ([0xf0, 0x9f, 0x90, 0x98], "🐘"),
            ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#),
            ([0x7f], #"\x7f"#),
            ([], "."),
        ] as [([UInt8], String)]
    )
    func escaping(bytes: [UInt8], expected: String) {
        #expect(BytePath(bytes: bytes).description == expected)
    }

    @Test("every byte string is escaped to printable text without newlines, seeded")
    func anyBytes() {
        var state: UInt64 = 42
        for _ in 0..<2_000 {
            let bytes = (0..<16).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let text = BytePath(bytes: bytes).description
            #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
    }

    @Test func paths() {
        let path = BytePath("a").appending(BytePath("b"))
        #expect(path == BytePath("a/b"))
        #expect(BytePath.root.appending(path) == path)
        #expect(path.lastComponent == BytePath("b"))
        for (path, last) in [("", ""), ("/", ""), ("//", ""), ("a", "a"), ("/a", "a"), ("a/b//", "b"), ("a//bc", "bc")]
        {
            #expect(BytePath(path).lastComponent == BytePath(last))
            #expect(BytePath(path).components.last.map(Array.init) ?? [] == BytePath(last).bytes)
        }
        #expect(BytePath("/a//b/").components.map { BytePath(bytes: Array($0)) } == [BytePath("a"), BytePath("b")])
    }
}
