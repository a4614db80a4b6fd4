import Glibc
import MediaModel
import MediasyncTesting
import Programs
import Testing

@Suite("A program that is talked to") struct PipedProgramTests {
    private func program(_ script: String) throws -> PipedProgram {
        try PipedProgram(ProgramCall(BytePath("/bin/sh"), [BytePath("-c"), BytePath(script)]))
    }

    private func output(of program: PipedProgram) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1000)
        while true {
            let count = read(program.output, &buffer, buffer.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    @Test("hears what is written to it, answers, and ends with its input")
    func answers() throws {
        let program = try program("cat; echo done; exit 3")
        #expect(write(program.input, "hello ", 6) == 6)
        program.closeInput()
        #expect(output(of: program) == "hello done\n")
        #expect(program.exitCode(within: .seconds(20)) == 3)
        program.end()
    }

    @Test("is heard on its error output, line by line")
    func errors() throws {
        let program = try program("echo one >&2; echo two >&2")
        var lines: [String] = []
        program.listen { lines.append(String(decoding: $0, as: UTF8.self)) }
        #expect(lines == ["one", "two"])
        #expect(program.exitCode(within: .seconds(20)) == 0)
    }

    @Test("is ended where it does not end by itself")
    func killed() throws {
        let program = try program("exec sleep 600")
        #expect(program.exitCode(within: .zero) == nil)
        program.end()
        #expect(program.exitCode(within: .zero) == -1)
        #expect(!Disk.exists(BytePath("/proc/\(program.process)")))
    }

    @Test("that is not there cannot be started")
    func missing() {
        #expect(throws: SyncError.self) { try PipedProgram(ProgramCall(BytePath("/nonexistent"), [])) }
    }
}
