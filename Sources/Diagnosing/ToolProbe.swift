internal import Glibc
internal import MediaModel

/// Looks for programs and libraries that pictures and videos need, and asks each for its version. Blocks.
package enum ToolProbe {
    /// What tells its version takes milliseconds.
    private static let timeoutMilliseconds: Int32 = 5000
    /// Of what a program says.
    private static let answerBytesMax = 4096

    /// - Parameters:
    ///   - named: a program's place as Mastodon's settings name it (`FFMPEG_BINARY`), with who says so.
    ///   - searchPath: the value of `PATH`.
    package static func program(_ tool: ToolFacts.Tool, named: Sourced?, searchPath: String) -> ToolFacts {
        let name = named?.value ?? tool.rawValue
        let origin = named?.origin ?? "PATH"
        guard let place = find(name, in: searchPath) else { return ToolFacts(tool, place: nil, version: nil) }
        let shown = BytePath.escaped(Array(place.utf8))
        return ToolFacts(tool, place: Sourced(shown, origin), version: version(in: answer(of: place)))
    }

    /// libvips is asked without being linked: it is loaded for the question alone.
    package static func library(named name: String = "libvips.so.42") -> ToolFacts {
        guard let handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL) else {
            return ToolFacts(.libvips, place: nil, version: nil)
        }
        // It stays loaded: what such a library has set up does not survive its unloading.
        let place = Sourced(name, "the loader")
        guard let symbol = dlsym(handle, "vips_version") else { return ToolFacts(.libvips, place: place, version: nil) }
        typealias Version = @convention(c) (Int32) -> Int32
        let part = unsafeBitCast(symbol, to: Version.self)
        let numbers = (0...2).map { part($0) }
        let isVersion = numbers.allSatisfy { $0 >= 0 }
        let text = numbers.map { String($0) }.joined(separator: ".")
        return ToolFacts(.libvips, place: place, version: isVersion ? text : nil)
    }

    private static func find(_ name: String, in searchPath: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let folders = searchPath.split(separator: ":").filter { $0.hasPrefix("/") }
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// `ffmpeg version 5.1.6-0+deb12u1 Copyright ...`: the word behind `version`.
    static func version(in answer: String?) -> String? {
        let line = answer?.split(separator: "\n").first?.split(separator: " ") ?? []
        guard let place = line.firstIndex(of: "version"), place + 1 < line.count else { return nil }
        return BytePath.escaped(Array(line[place + 1].utf8.prefix(64)))
    }

    /// What a program says to `-version`; nil where it does not start, fails or takes too long.
    private static func answer(of program: String) -> String? {
        var ends: [Int32] = [-1, -1]
        // Closed in children that other threads start meanwhile.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            return nil
        }
        let process = start(program, output: ends[1])
        close(ends[1])
        defer { close(ends[0]) }
        guard let process else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: answerBytesMax)
        var hasEnded = false
        while answer.count < answerBytesMax {
            var waiting = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, timeoutMilliseconds) > 0 else { break }
            let count = read(ends[0], &buffer, buffer.count)
            if count <= 0 {
                hasEnded = count == 0
                break
            }
            answer += buffer[..<count]
        }
        // What says more than that is not waited for.
        if !hasEnded { kill(-process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard hasEnded ? status == 0 : answer.count >= answerBytesMax else { return nil }
        return String(decoding: answer, as: UTF8.self)
    }

    private static func start(_ program: String, output: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var arguments = [strdup(program), strdup("-version"), nil]
        var environment = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), strdup("LC_ALL=C"), nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var process: pid_t = 0
        guard posix_spawn(&process, program, &actions, &attributes, &arguments, &environment) == 0 else { return nil }
        return process
    }
}
