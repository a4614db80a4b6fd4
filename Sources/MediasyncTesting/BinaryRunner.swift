internal import Glibc
package import MediaModel

/// Runs the built `mediasync`. Its record of runs goes to a directory of the test's own.
package enum BinaryRunner {
    /// The program next to the test bundle.
    package static let path: String = {
        let candidates = [CommandLine.arguments.first.map { directory(of: $0) + "/mediasync" }, ownDirectory()]
        let package = directory(of: directory(of: directory(of: #filePath)))
        let all = candidates.compactMap { $0 } + ["\(package)/.build/debug/mediasync"]
        return all.first { access($0, X_OK) == 0 } ?? "mediasync"
    }()

    private static func ownDirectory() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return directory(of: String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            + "/mediasync"
    }

    private static func directory(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    private static let state = try? TemporaryDirectory()

    /// The program, ready to be wrapped.
    package static func program(wrapper: [String] = []) -> Program {
        var program = Program(path)
        program.wrapper = wrapper
        if let state { program.environment["MEDIASYNC_STATE"] = String(decoding: state.path.bytes, as: UTF8.self) }
        program.environment["NO_COLOR"] = "1"
        return program
    }

    /// `mediasync copy OPTIONS SRC DST`.
    package static func copy(
        _ options: [String],
        _ source: BytePath,
        _ target: BytePath,
        wrapper: [String] = [],
        timeout: Double = 60
    ) throws -> Program.Result {
        try startCopy(options, source, target, wrapper: wrapper).wait(timeout: timeout)
    }

    /// Starts the same and returns at once.
    package static func startCopy(
        _ options: [String],
        _ source: BytePath,
        _ target: BytePath,
        wrapper: [String] = []
    ) throws -> RunningProgram {
        try program(wrapper: wrapper).start([BytePath("copy")] + options.map { BytePath($0) } + [source, target])
    }
}

extension BinaryRunner {
    /// The program as another user: a copy that this user can reach, and a record of runs that it may write.
    package static func unprivilegedProgram(in place: TemporaryDirectory, user: UInt32 = 65_534) throws -> Program {
        let copy = place.path / "mediasync"
        if !Disk.exists(copy) { try Program("cp").check([], BytePath(path), copy) }
        let state = place.path / "state"
        if !Disk.exists(state) { try Disk.makeDirectory(state, mode: 0o777) }
        var program = Program(String(decoding: copy.bytes, as: UTF8.self))
        program.wrapper = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--"]
        program.environment["MEDIASYNC_STATE"] = String(decoding: state.bytes, as: UTF8.self)
        return program
    }
}

extension BinaryRunner {
    /// `mediasync copy SRC DST`.
    package static func copy(_ source: BytePath, _ target: BytePath) throws -> Program.Result {
        try copy([], source, target)
    }

    package static func startCopy(_ source: BytePath, _ target: BytePath) throws -> RunningProgram {
        try startCopy([], source, target)
    }
}
