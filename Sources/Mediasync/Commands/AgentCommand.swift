import ArgumentParser
import Copying
import Foundation
import MediaModel
import Reporting
import Running
import Storage
import Wire

/// `mediasync agent`: the far end of a copy between machines, started by the near end through ssh.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Serve a copy from or to another machine on standard input and output.",
        discussion: """
            The near end of a copy starts it through ssh; nobody needs to. To confine a key to one tree, name it in \
            ~/.ssh/authorized_keys:
              command="mediasync agent --read-only --root /home/mastodon/live/public/system",restrict ssh-ed25519 ...
            """,
        shouldDisplay: false
    )

    @Flag(help: "Write nothing, whatever the other end asks for.")
    var readOnly = false

    @Option(help: ArgumentHelp("Touch nothing outside of this directory.", valueName: "dir"))
    var root: String?

    @Flag(name: .customLong("protocol"), help: ArgumentHelp("Print the protocol's version.", visibility: .hidden))
    var printsProtocol = false

    func run() async throws {
        if printsProtocol { return print(WireLimit.version) }
        signal(SIGPIPE, SIG_IGN)
        var limits = Agent.Limits()
        limits.isReadOnly = readOnly
        limits.root = root.map(RawArguments.path)
        let agent = Agent(
            input: StreamEnd(raw: 0),
            output: StreamEnd(raw: 1),
            limits: limits,
            host: .current(),
            control: RunControl()
        )
        guard let problem = await agent.serve() else { return }
        throw ExitCode(problem.code.exitStatus.rawValue)
    }
}
