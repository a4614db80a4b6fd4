import MediaModel
import MediasyncTesting
import Synchronization
import Testing

/// What a run tells beside its summary: the report, the metrics at its begin, the health check, `status --watch`.
@Suite struct ReportTests {
    private let place: TemporaryDirectory

    init() throws {
        place = try TemporaryDirectory()
        try Disk.makeDirectory(place.path / "a")
        try Disk.write(place.path / "a" / "x<b>.jpg", "content")
    }

    private var program: Program {
        var program = BinaryRunner.program()
        program.environment["MEDIASYNC_STATE"] = "\(place.path / "state")"
        return program
    }

    private func copy(_ options: [String]) throws -> Program.Result {
        try program.run([BytePath("copy"), place.path / "a", place.path / "b"] + options.map { BytePath($0) })
    }

    @Test("a run writes its report, and status writes it again")
    func report() throws {
        let file = place.path / "report.html"
        #expect(try copy(["--report", "\(file)"]).exitCode == 0)
        let text = try Disk.text(file)
        #expect(text.contains("<h1>copy <span class=\"good\">finished, exit 0</span></h1>"))
        let again = place.path / "again.html"
        #expect(try program.run(["status", "--report", "\(again)"]).exitCode == 0)
        #expect(try Disk.text(again) == text)
        #expect(
            try copy(["--report", "\(place.path / "none" / "x.html")"]).errorText.contains("could not write the report")
        )
    }

    @Test("the health check hears the begin and how it ended; one that does not answer changes nothing")
    func ping() throws {
        let origin = try OriginServer { _ in .body(Array("ok".utf8), type: "text/plain") }
        #expect(try copy(["--ping", origin.url("/uuid")]).exitCode == 0)
        #expect(origin.log.map(\.request.path) == ["/uuid/start", "/uuid"])
        origin.forget()
        let arguments = [BytePath("copy"), place.path / "none", place.path / "b", BytePath("--ping")]
        #expect(try program.run(arguments + [BytePath(origin.url("/uuid/"))]).exitCode == 10)
        #expect(origin.log.map(\.request.path) == ["/uuid/start", "/uuid/fail"])
        let silent = try copy(["--ping", "http://127.0.0.1:1/x"])
        #expect(silent.exitCode == 0)
        #expect(silent.errorText.contains("the health check did not answer"))
        #expect(try copy(["--ping", "ftp://x"]).exitCode == 64)
    }

    @Test("a run that is watched is shown until its end")
    func watch() throws {
        #expect(try program.run(["status", "--watch"]).text == "no runs yet\n")
        #expect(try copy([]).exitCode == 0)
        let ended = try program.run(["status", "--watch"])
        #expect(ended.text.contains("copy finished in"))
        for file in 0..<40 { try Disk.write(place.path / "a" / "f\(file)", [UInt8](repeating: 7, count: 100_000)) }
        let slow = [BytePath("copy"), place.path / "a", place.path / "c", BytePath("--bwlimit"), BytePath("1M")]
        let running = try program.start(slow)
        let state = place.path / "state"
        #expect(
            RunningProgram.eventually { (try? program.run(["status"]).text.contains("running for")) == true },
            "\(state)"
        )
        let watched = try program.run(["status", "--watch"])
        #expect(running.wait().exitCode == 0)
        #expect(watched.text.contains("copy running for") && watched.text.contains("copy finished in"))
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [["--watch", "--list"], ["--watch", "--report", "x"], ["--report", "x", "--errors"]]
    )
    func usage(options: [String]) throws {
        #expect(try program.run(["status"] + options).exitCode == 64)
    }
}
