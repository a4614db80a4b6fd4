internal import Glibc
package import MediaModel
internal import Synchronization

/// A program that tests run: its arguments are bytes, its output is caught in files, and it cannot outlive its time.
package struct Program: Sendable {
    package let path: String
    /// Added to the test's own environment.
    package var environment: [String: String] = [:]
    /// Put in front of the command: `prlimit`, `setpriv`, `strace` and their arguments.
    package var wrapper: [String] = []
    package var directory: BytePath?

    package init(_ path: String) {
        self.path = path
    }

    /// What a run left behind.
    package struct Result: Sendable {
        /// Nil where a signal ended it.
        package let exitCode: Int32?
        package let signal: Int32?
        package let output: [UInt8]
        package let errors: [UInt8]
        package let seconds: Double
        package let timedOut: Bool

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
        package var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Runs it and waits for its end.
    package func run(_ arguments: [BytePath], timeout: Double = 60) throws -> Result {
        try start(arguments).wait(timeout: timeout)
    }

    package func run(_ arguments: [String], timeout: Double = 60) throws -> Result {
        try run(arguments.map { BytePath($0) }, timeout: timeout)
    }

    package func run(_ options: [String], _ paths: BytePath..., timeout: Double = 60) throws -> Result {
        try run(options.map { BytePath($0) } + paths, timeout: timeout)
    }

    /// Runs it and fails where it does not end with 0.
    @discardableResult
    package func check(_ options: [String], _ paths: BytePath...) throws -> Result {
        let result = try run(options.map { BytePath($0) } + paths)
        if result.exitCode == 0 { return result }
        throw TestFault("\(path) \(options) \(paths): exit \(result.exitCode ?? -1): \(result.errorText)")
    }

    /// Starts it; the caller waits for it.
    package func start(_ arguments: [BytePath]) throws -> RunningProgram {
        let place = directory.map { [BytePath("env"), BytePath("--chdir"), $0] } ?? []
        let command = place + wrapper.map { BytePath($0) } + [BytePath(path)] + arguments
        let files = try CaughtOutput()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, files.output, 1)
        posix_spawn_file_actions_adddup2(&actions, files.errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: a wrapper and what it wraps end together.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var process: pid_t = 0
        let result = withCStrings(command) { argv in
            withCStrings(mergedEnvironment()) { envp in
                argv[0].map { posix_spawnp(&process, $0, &actions, &attributes, argv, envp) } ?? EINVAL
            }
        }
        guard result == 0 else { throw TestFault("cannot start \(command[0]): \(String(cString: strerror(result)))") }
        return RunningProgram(process: process, files: files)
    }

    private func mergedEnvironment() -> [BytePath] {
        var merged: [BytePath] = []
        var cursor = environ
        while let entry = cursor.pointee {
            let text = String(cString: entry)
            let name = text.prefix { $0 != "=" }
            if environment[String(name)] == nil { merged.append(BytePath(text)) }
            cursor += 1
        }
        return merged + environment.map { BytePath("\($0.key)=\($0.value)") }
    }

    private func withCStrings<Result>(
        _ strings: [BytePath],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = Disk.withPath(string) { strdup($0) }
        }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }
}

/// Two unlinked files that a program writes its output to: no pipe that could fill.
final class CaughtOutput: Sendable {
    let output: Int32
    let errors: Int32

    init() throws {
        output = try Self.makeFile()
        errors = try Self.makeFile()
    }

    deinit {
        close(output)
        close(errors)
    }

    private static func makeFile() throws -> Int32 {
        var template = Array("/tmp/mediasync-test-output-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw TestFault("cannot make a temporary file") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    static func contents(of descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, bytes.count)
            if count <= 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
