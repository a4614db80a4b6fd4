import MediaModel
import MediasyncTesting
import Testing

/// Which end the source is on.
enum RemoteDirection: String, CaseIterable, CustomTestStringConvertible {
    case pull, push
    var testDescription: String { rawValue }
}

/// A source and a target of which one counts as being on another machine: the two ends meet through pipes.
struct RemotePair {
    let place: TemporaryDirectory
    let source: BytePath
    let target: BytePath
    let shell: LocalShell

    init() throws {
        place = try TemporaryDirectory()
        (source, target) = try place.makePair()
        shell = try LocalShell(in: place)
    }

    static func far(_ path: BytePath) -> BytePath { BytePath(bytes: Array("old.example:".utf8) + path.bytes) }
}

/// A suite whose tests copy between the ends of a pair.
protocol RemoteSuite {
    var pair: RemotePair { get }
}

extension RemoteSuite {
    typealias Direction = RemoteDirection

    var place: TemporaryDirectory { pair.place }
    var source: BytePath { pair.source }
    var target: BytePath { pair.target }
    var shell: LocalShell { pair.shell }

    /// Starts `mediasync copy`.
    func start(
        _ direction: Direction,
        _ options: [String] = [],
        shell: LocalShell? = nil
    ) throws -> RunningProgram {
        let all = ["--rsh", (shell ?? self.shell).path.description, "--remote-path", BinaryRunner.path] + options
        switch direction {
        case .pull: return try BinaryRunner.startCopy(all, RemotePair.far(source), target)
        case .push: return try BinaryRunner.startCopy(all, source, RemotePair.far(target))
        }
    }

    /// Starts it again and again while the other end of a killed run has not heard of its end yet.
    func runAgain(_ direction: Direction, _ options: [String] = []) throws -> Program.Result {
        var result = try start(direction, options).wait(timeout: 120)
        for _ in 0..<20 where result.exitCode == 11 {
            result = try start(direction, options).wait(timeout: 120)
        }
        return result
    }

    func expectEqual(
        _ aspects: TreeSnapshot.Aspects = .copied,
        _ comment: Comment = "",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let differences = try TreeSnapshot(of: source).differences(from: TreeSnapshot(of: target), in: aspects)
        #expect(differences.isEmpty, comment, sourceLocation: location)
    }

    /// A number of a summary in JSON.
    static func number(_ name: String, in result: Program.Result) -> Int {
        let text = result.lines.last ?? ""
        guard let range = text.firstRange(of: "\"\(name)\":") else { return 0 }
        return Int(text[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
