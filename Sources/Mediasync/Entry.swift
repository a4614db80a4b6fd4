import ArgumentParser
import Dispatch
import Foundation
import Imaging

/// Where the process begins. What is started to decode gives up descriptors and rights, which the runtime of asynchronous
/// code does not survive: it must not have begun there.
@main
enum Entry {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case DecodeWorker.command: DecodeWorkerCommand.main(Array(arguments.dropFirst()))
        case SandboxedProgram.command: SandboxExecCommand.main(Array(arguments.dropFirst()))
        default:
            let start = CommandLineStart(arguments)
            Task { await start.run() }
            dispatchMain()
        }
    }
}
