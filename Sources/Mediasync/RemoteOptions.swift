import ArgumentParser
import Copying
import Foundation
import MediaModel

/// How another machine is reached.
struct RemoteOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp("How to reach another machine, e.g. \"ssh -p 2222\".", valueName: "command")
    )
    var rsh = "ssh"

    @Option(help: ArgumentHelp("mediasync on the other machine.", valueName: "path"))
    var remotePath = "mediasync"

    /// The way there, with all of the user's environment: ssh finds its agent in it.
    func way() throws -> FarEnd.Way {
        let words = rsh.split(separator: " ").map(String.init)
        let environment = ProcessInfo.processInfo.environment
        guard let name = words.first, let program = Self.find(name, environment["PATH"] ?? "/usr/bin:/bin") else {
            throw SyncError(
                .configuration,
                "\(words.first ?? "ssh") was not found",
                hint: "install openssh-client, or name another program with --rsh"
            )
        }
        let shell = ([program] + words.dropFirst()).map { BytePath($0) }
        return FarEnd.Way(shell: shell, program: remotePath, environment: environment)
    }

    private static func find(_ name: String, _ path: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
