import ArgumentParser
import Copying
import Foundation
import MediaModel
import Running
import Storage
import Synchronization
import Wire

/// How another machine is reached.
struct RemoteOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp("How to reach another machine, e.g. \"ssh -p 2222\".", valueName: "command")
    )
    var rsh = "ssh"

    @Option(help: ArgumentHelp("mediasync on the other machine.", valueName: "path"))
    var remotePath = "mediasync"

    @Flag(
        help: "Bring this program to the other machine's ~/.cache/mediasync where it has no mediasync of this version."
    )
    var bootstrap = false

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

    /// The engine of a copy or comparison of which one side is on another machine.
    func engine(
        from: RemotePlace?,
        to: RemotePlace?,
        source: BytePath,
        target: BytePath,
        _ options: CopyOptions,
        _ session: RunSession,
        connections: FarConnections.Number = .exactly(1)
    ) throws -> any Engine {
        if from != nil, to != nil {
            throw SyncError(
                .usage,
                "source and target are both on other machines",
                hint: "run mediasync on one of them"
            )
        }
        let way = WayThere(try way())
        guard let place = from ?? to else { preconditionFailure("neither side is on another machine") }
        let prepare = preparation(of: way, to: place, session)
        let connections = FarConnections(connections, sink: session.sink)
        if let to {
            return ReconnectingEngine(
                run: session.run,
                control: session.control,
                sink: session.sink,
                prepare: prepare
            ) { control, run in
                PushEngine(
                    source: source,
                    target: to,
                    way: way.value,
                    options: options,
                    run: run,
                    host: session.host,
                    control: control,
                    sink: session.sink,
                    connections: connections
                )
            }
        }
        try Self.checkOwnership(options, session)
        let first = try Hello(.send, place, options, run: session.run)
        let counter = FarCounter()
        return ReconnectingEngine(
            run: session.run,
            control: session.control,
            sink: session.sink,
            prepare: prepare
        ) { control, run in
            var hello = first
            hello.run = run
            return CopyEngine(
                source: source,
                target: target,
                options: options,
                run: run,
                host: session.host,
                control: control,
                sink: session.sink,
                origin: FarEnd(
                    place,
                    way.value,
                    hello,
                    fileList: options.fileList,
                    counter: counter,
                    connections: connections
                )
            )
        }
    }

    /// Has this program brought there where that was asked for.
    private func preparation(
        of way: WayThere,
        to place: RemotePlace,
        _ session: RunSession
    ) -> ReconnectingEngine.Preparation? {
        guard bootstrap else { return nil }
        let sink = session.sink
        return { control async throws(SyncError) in
            let program = Bootstrap.Program(path: ThisProgram.path, system: Self.system)
            way.value = try await Bootstrap(place, way.value, program, sink: sink).run(control)
        }
    }

    /// What `uname -sm` says here.
    private static var system: String {
        var name = utsname()
        uname(&name)
        let text = { (field: UnsafeRawBufferPointer) in
            String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
        }
        return withUnsafeBytes(of: &name.sysname, text) + " " + withUnsafeBytes(of: &name.machine, text)
    }

    /// Only root can give entries away.
    static func checkOwnership(_ options: CopyOptions, _ session: RunSession) throws(SyncError) {
        if options.chown != nil, !session.host.isRoot {
            throw SyncError(.usage, "--chown needs root", hint: "run with sudo, or leave it out")
        }
    }

    private static func find(_ name: String, _ path: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// By how many connections files travel.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "ssh connections by which files travel, up to \(WireLimit.connections); auto: several where the line is long.",
            valueName: "n"
        )
    )
    var connections = FarConnections.Number.automatic
}

extension FarConnections.Number: ExpressibleByArgument {
    public init?(argument: String) {
        if argument == "auto" {
            self = .automatic
        } else if let count = Int(argument), (1...WireLimit.connections).contains(count) {
            self = .exactly(count)
        } else {
            return nil
        }
    }

    public var defaultValueDescription: String {
        switch self {
        case .exactly(let count): "\(count)"
        case .automatic: "auto"
        }
    }
}

/// How another machine is reached: known for good when mediasync was looked for there.
private final class WayThere: Sendable {
    private let way: Mutex<FarEnd.Way>

    init(_ way: FarEnd.Way) {
        self.way = Mutex(way)
    }

    var value: FarEnd.Way {
        get { way.withLock { $0 } }
        set { way.withLock { $0 = newValue } }
    }
}
