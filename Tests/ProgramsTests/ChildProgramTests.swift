import MediaModel
import MediasyncTesting
import Testing

@testable import Programs

/// Programs under way: what is heard of them, how they end, and that nothing of them stays.
@Suite struct ChildProgramTests {
    private func shell(_ script: String, environment: [String: String]? = nil) -> ProgramCall {
        ProgramCall(
            BytePath("/bin/sh"),
            [BytePath("-c"), BytePath(script)],
            environment: environment ?? ProgramCall.bareEnvironment
        )
    }

    /// Everything a script says to both outputs, and its exit code.
    private func hear(_ script: String, environment: [String: String]? = nil) throws -> (lines: [String], code: Int32?)
    {
        let child = try ChildProgram(shell(script, environment: environment), output: .withErrors)
        defer { child.end() }
        var lines: [String] = []
        let code = child.listen(shouldStop: { false }, line: { lines.append(String(decoding: $0, as: UTF8.self)) })
        return (lines, code)
    }

    @Test("both outputs are heard line by line, the last one without its end as well")
    func lines() throws {
        let heard = try hear("echo one; echo two >&2; echo; printf three; exit 7")
        #expect(heard.lines == ["one", "two", "", "three"] && heard.code == 7)
    }

    @Test("a program has the environment it was given, no input and default signals")
    func environment() throws {
        let heard = try hear(
            "env | grep -c .; echo $A; read x || echo nothing",
            environment: ["A": "b c", "PATH": "/usr/bin:/bin"]
        )
        // The shell adds its own.
        #expect(heard.lines.dropFirst() == ["b c", "nothing"] && (2...5).contains(Int(heard.lines[0]) ?? 0))
    }

    @Test("a program that a signal ended has no exit code")
    func killed() throws {
        #expect(try hear("kill -9 $$").code == nil)
    }

    @Test("what cannot be started is an error that names it")
    func missing() {
        let error = #expect(throws: SyncError.self) {
            _ = try ChildProgram(ProgramCall(BytePath("/nonexistent\u{1B}"), []), output: .withErrors)
        }
        #expect(error?.code == .configuration && error?.what == "cannot start /nonexistent\\x1b")
    }

    @Test("more than any pipe holds is heard to its end, and a line without end is cut")
    func endless() throws {
        let heard = try hear("head -c 3000000 /dev/zero | tr '\\0' x; echo; seq 1 50000")
        #expect(heard.code == 0 && heard.lines.count == 50_001)
        #expect(heard.lines.first?.utf8.count == LineCutter.lineBytesMax && heard.lines.last == "50000")
    }

    @Test("a stop ends the program and what it started")
    func stopped() throws {
        let child = try ChildProgram(shell("sleep 1000 & echo $!; wait"), output: .withErrors)
        defer { child.end() }
        var other = ""
        let code = child.listen(shouldStop: { !other.isEmpty }, line: { other = String(decoding: $0, as: UTF8.self) })
        #expect(code == nil)
        #expect(RunningProgram.eventually { isGone(other) })
    }

    @Test("one that does not listen to a stop is killed when it had its time")
    func stubborn() throws {
        let child = try ChildProgram(
            shell("trap '' TERM; echo ready; while :; do sleep 1000; done"),
            output: .withErrors
        )
        defer { child.end() }
        var isReady = false
        let code = child.listen(shouldStop: { isReady }, patience: .milliseconds(50), line: { _ in isReady = true })
        #expect(code == nil)
    }

    @Test("what a program leaves behind with its output open is not waited for")
    func leftBehind() throws {
        let child = try ChildProgram(shell("sleep 1000 & echo $!; exit 3"), output: .withErrors)
        defer { child.end() }
        var other = ""
        let code = child.listen(shouldStop: { false }, line: { other = String(decoding: $0, as: UTF8.self) })
        #expect(code == 3 && !isGone(other))
        try Program("/bin/kill").check(["-9", other])
    }

    @Test("one that closes its outputs and goes on is waited for")
    func silent() throws {
        #expect(try hear("exec >&- 2>&-; sleep 0.2; exit 4").code == 4)
    }

    @Test("all output of a program that says little, what it said when it failed, and too much of it")
    func run() throws {
        let good = try ChildProgram.run(shell("echo words; echo noise >&2"), limit: 100)
        #expect(String(decoding: good.output, as: UTF8.self) == "words\n" && good.failure == nil)
        let bad = try ChildProgram.run(shell("printf 'a\\033b\\nc\\n' >&2; exit 1"), limit: 100)
        #expect(bad.failure == "a\\x1bb; c")
        #expect(try ChildProgram.run(shell("exit 2"), limit: 100).failure == "it ended with status 512")
        let error = #expect(throws: SyncError.self) { try ChildProgram.run(shell("seq 1 1000"), limit: 100) }
        #expect(error?.code == .unusable)
    }

    @Test("what a program and its children read is counted, also of those that have ended")
    func reading() throws {
        let place = try TemporaryDirectory()
        try Disk.write(place.path / "data", [UInt8](repeating: 1, count: 300_000))
        let data = place.path.description
        let child = try ChildProgram(
            shell("cat \(data)/data >/dev/null; echo read; read x; sleep 1000"),
            output: .withErrors
        )
        defer { child.end() }
        var bytes: Int64 = 0
        _ = child.listen(
            shouldStop: { bytes > 0 },
            line: { _ in bytes = child.bytesRead ?? -1 }
        )
        #expect(bytes >= 300_000)
        child.end()
        #expect(child.bytesRead == nil)
    }

    private func isGone(_ process: String) -> Bool {
        guard let state = try? Disk.text(BytePath("/proc/\(process)/stat")) else { return true }
        return state.contains(") Z ")
    }
}

@Suite struct LineCutterTests {
    @Test("lines are the same wherever the pieces are cut")
    func pieces() {
        let text = Array("one\n\ntwo\nthree".utf8)
        for first in 0...text.count {
            for second in first...text.count {
                var cutter = LineCutter()
                var lines: [String] = []
                for piece in [text[..<first], text[first..<second], text[second...]] {
                    cutter.take(piece) { lines.append(String(decoding: $0, as: UTF8.self)) }
                }
                cutter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
                #expect(lines == ["one", "", "two", "three"], "cut at \(first) and \(second)")
            }
        }
    }

    @Test(
        "a line keeps its first 4,096 bytes, and the next one is whole again",
        arguments: [4095, 4096, 4097, 100_000]
    )
    func long(count: Int) {
        var cutter = LineCutter()
        var lines: [Int] = []
        for _ in 0..<count { cutter.take([0x78]) { lines.append($0.count) } }
        cutter.take(Array("\nab\n".utf8)) { lines.append($0.count) }
        cutter.finish { lines.append($0.count) }
        #expect(lines == [min(count, 4096), 2])
    }
}
