import MediaModel
import MediasyncTesting
import Testing

/// `mediasync repair` by the built program.
@Suite(
    .enabled(
        if: Requirement.hasPostgres && Requirement.has("ffmpeg"),
        "needs PostgreSQL's server programs, setpriv and ffmpeg"
    )
)
struct RepairTests {
    /// A server that was moved and is whole.
    private func moved(_ name: String, content: OriginServer.Content? = nil) throws -> MoveLive {
        let live = try MoveLive(name, content: content)
        let result = try live.run()
        #expect(result.exitCode == 0, "\(result.errorText)")
        live.origin.forget()
        return live
    }

    private func files(_ live: MoveLive, below folder: String) throws -> [BytePath] {
        try TreeSnapshot(of: live.root).entries.filter { path, entry in
            entry.kind == .file && "\(path)".hasPrefix(folder)
        }.map(\.key)
    }

    @Test("what is missing and what is cut comes back, and nothing else is asked for; the third clean repair is told")
    func repair() throws {
        let live = try moved("rp_whole")
        let cached = try files(live, below: "cache/media_attachments").filter { "\($0)".contains("/original/") }.sorted
        {
            $0.bytes.lexicographicallyPrecedes($1.bytes)
        }
        try Disk.remove(live.root / cached[0])
        try Disk.write(live.root / cached[1], "cut")
        let result = try live.repair()
        #expect(result.exitCode == 0, "\(result.errorText)\n\(result.text)")
        #expect(live.origin.log.count == 2)
        #expect(try files(live, below: "cache/media_attachments").count == 2 * MoveLive.recent)
        for number in 1...3 {
            let clean = try live.repair()
            #expect(clean.exitCode == 0)
            #expect(clean.errorText.contains("3 repairs in a row") == (number == 3), "\(clean.errorText)")
        }
        #expect(live.origin.log.count == 2)
    }

    @Test("files of this server's own are lost for good: named, exit code 4, and no repair is clean")
    func lost() throws {
        let live = try moved("rp_lost")
        let mine = "media_attachments/files/000/000/007/original/mine.jpg"
        try Disk.remove(live.root / mine)
        let report = live.place.path / "report.html"
        let result = try live.repair(["--report", "\(report)"])
        #expect(result.exitCode == 4)
        #expect(try Disk.text(report).contains("<td>\(mine)</td>"))
        #expect(result.text.contains("lost unless a backup has them: 1 files of this server's own\n  \(mine)"))
        #expect(live.origin.log.isEmpty)
        let json = try live.repair(["--json"])
        #expect(json.lines.contains { $0.contains("\"type\":\"lost\"") && $0.contains(mine) })
    }

    @Test("what its server has no more is no failure, and is not asked for again")
    func gone() throws {
        let live = try moved("rp_gone") { request in
            request.target.hasSuffix("?no")
                ? .status(404) : .body((try? RefreshLive.picture.get()) ?? [], type: "image/jpeg")
        }
        let id = try live.sql("SELECT max(id) FROM media_attachments")
        try live.sql("UPDATE media_attachments SET remote_url = remote_url || '?no' WHERE id = \(id)")
        let all = try files(live, below: "cache/media_attachments")
        for path in all { try Disk.remove(live.root / path) }
        let first = try live.repair()
        #expect(first.exitCode == 0, "\(first.errorText)")
        #expect(live.origin.log.count == MoveLive.recent)
        live.origin.forget()
        let second = try live.repair()
        #expect(second.exitCode == 0)
        #expect(live.origin.log.isEmpty)
        #expect(second.errorText.contains("nothing was missing"))
    }

    @Test("what cannot be fetched is a failure, exit code 3; a dry run asks nobody")
    func failing() throws {
        let live = try moved("rp_fail") { request in
            request.target.hasSuffix("?no")
                ? .status(403) : .body((try? RefreshLive.picture.get()) ?? [], type: "image/jpeg")
        }
        try live.sql("UPDATE media_attachments SET remote_url = remote_url || '?no' WHERE remote_url <> ''")
        for path in try files(live, below: "cache/media_attachments") { try Disk.remove(live.root / path) }
        let dry = try live.repair(["-n"])
        #expect(dry.exitCode == 0, "\(dry.errorText)")
        #expect(live.origin.log.isEmpty)
        let result = try live.repair(["--days", "30"])
        #expect(result.exitCode == 3, "\(result.errorText)")
        #expect(result.text.contains("failed by reason"))
    }
}
