import Settings
import Testing

/// Settings of another server, made this machine's.
@Suite struct SettingsTransferTests {
    private func transfer(_ text: String, _ here: [String: String]) -> SettingsTransfer {
        SettingsTransfer(exported: Array(text.utf8), here: { here[$0] })
    }

    @Test("secrets and choices come along, the database's password is this machine's, comments stay")
    func password() {
        let exported = """
            # our server
            LOCAL_DOMAIN=example.social
            SECRET_KEY_BASE='a b c'
            DB_PASS=theirs # changed in May
            export DB_HOST="their host"

            OTP_SECRET="two
            lines"
            """
        let result = transfer(exported, ["DB_PASS": "ours", "DB_HOST": "/run/postgresql"])
        #expect(
            String(decoding: result.text, as: UTF8.self) == """
                # our server
                LOCAL_DOMAIN=example.social
                SECRET_KEY_BASE='a b c'
                DB_PASS=ours
                DB_HOST=/run/postgresql

                OTP_SECRET="two
                lines"

                """
        )
        #expect(result.kept == ["DB_HOST", "DB_PASS"])
        #expect(result.leftOut.isEmpty)
        #expect(!"\(result)".contains("ours"))
    }

    @Test("what only this machine has is added, what only the other had is left out, and a repeated line goes once")
    func differences() {
        let result = transfer(
            "REDIS_HOST=10.0.0.1\nDB_NAME=a\nDB_NAME=b\nX=1",
            ["DB_NAME": "mastodon", "DB_PORT": "5433"]
        )
        #expect(String(decoding: result.text, as: UTF8.self) == "DB_NAME=mastodon\nX=1\nDB_PORT=5433\n")
        #expect(result.leftOut == ["REDIS_HOST"])
    }

    @Test(
        "any value reads back as it was",
        arguments: [
            "", "plain", "with space", "a'b", #"a"b"#, #"a'b"c$d\e"#, "#no comment", "ünï", "$HOME", "it's $5 \\ \"x\"",
        ]
    )
    func quoting(value: String) {
        let result = transfer("DB_PASS=x\n", ["DB_PASS": value])
        #expect(EnvironmentFile(result.text)["DB_PASS"] == value)
    }

    @Test("nothing of this machine and nothing of the other are no error")
    func empty() {
        #expect(transfer("", [:]).text.isEmpty)
        #expect(transfer("\u{FEFF}A=1", [:]).text == Array("A=1\n".utf8))
    }
}
