import ArgumentParser
import Imaging
import MediaModel

/// What this program is started as to become ffmpeg with fewer rights: not for people.
struct SandboxExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: SandboxedProgram.command, shouldDisplay: false)

    @Argument var addressBytes: Int64
    @Argument var cpuSeconds: Int64
    @Argument var fileBytes: Int64
    @Argument var files: Int
    @Argument(parsing: .captureForPassthrough) var program: [String] = []

    func run() throws {
        let status = SandboxedProgram.become(
            program.map { RawArguments.path($0) },
            addressBytes: addressBytes,
            cpuSeconds: cpuSeconds,
            fileBytes: fileBytes,
            files: max(0, min(2, files))
        )
        throw ExitCode(status)
    }
}
