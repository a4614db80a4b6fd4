import Testing

@testable import Settings

/// Mastodon's own settings file, as people write it.
@Suite struct EnvironmentFileTests {
    @Test(
        "a value is read as dotenv reads it",
        arguments: [
            ("A=plain", "plain"),
            ("A = spaced  ", "spaced"),
            ("export A=exported", "exported"),
            ("A: yaml", "yaml"),
            ("A=", ""),
            ("A=with # comment", "with"),
            ("A=with#hash", "with#hash"),
            ("A='single $B # \\n'", "single $B # \\n"),
            ("A=\"double # no comment\"", "double # no comment"),
            ("A=\"line\\nbreak\"", "line\nbreak"),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A=\"a \\\"quote\\\"\"", "a \"quote\""),
            ("A=a\\$b", "a$b"),
            ("A=\"cost: 5$\"", "cost: 5$"),
            ("A=$(reboot)", "$(reboot)"),
            ("A=`reboot`", "`reboot`"),
            ("A=first\nA=second", "second"),
            ("A=windows\r\n", "windows"),
            ("\u{FEFF}A=marked", "marked"),
            ("# A=comment\nA=real", "real"),
            ("A=pass=with=signs", "pass=with=signs"),
        ]
    )
    func values(text: String, expected: String) {
        #expect(EnvironmentFile(Array(text.utf8))["A"] == expected)
    }

    @Test("a variable stands for an earlier value of the same file, never of the environment")
    func variables() {
        let file = EnvironmentFile(Array("B=one\nA=$B-${B}-$HOME-$\nC=\"<${B}>\"\n".utf8))
        #expect(file["A"] == "one-one--$")
        #expect(file["C"] == "<one>")
        #expect(file.names == ["A", "B", "C"])
    }

    @Test("what is no assignment is told by its line and hurts nobody")
    func strangeLines() {
        let file = EnvironmentFile(Array("A=1\nnonsense\n\n=x\nB=\"open\nC=2".utf8))
        #expect(file.strangeLines == [2, 4, 5])
        #expect(file["A"] == "1")
        #expect(file["C"] == nil)
    }

    @Test("bytes that are not UTF-8 and a NUL do not end the reading")
    func bytes() {
        let file = EnvironmentFile([0x41, 0x3D, 0xFF, 0x00, 0x0A] + Array("B=2".utf8))
        #expect(file["B"] == "2")
    }
}
