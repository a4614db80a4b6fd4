import ArgumentParser
import Imaging

/// What this program is started as to decode pictures: not for people.
struct DecodeWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: DecodeWorker.command, shouldDisplay: false)

    @Argument var addressBytes: Int64
    @Argument var cpuSeconds: Int64

    func run() throws {
        throw ExitCode(DecodeWorker.run(addressBytes: addressBytes, cpuSeconds: cpuSeconds))
    }
}
