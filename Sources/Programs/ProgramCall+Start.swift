internal import Glibc
internal import MediaModel

extension ProgramCall {
    /// Starts it with default signals.
    /// - Parameters:
    ///   - input: nil for none.
    ///   - inOwnGroup: whether it gets a process group of its own.
    /// - Returns: 0 and the process, or the number of an error.
    func start(
        input: Int32? = nil,
        output: Int32,
        errors: Int32,
        inOwnGroup: Bool = true
    ) -> (error: Int32, process: pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let group = inOwnGroup ? POSIX_SPAWN_SETPGROUP : 0
        posix_spawnattr_setflags(&attributes, Int16(group | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let variables = environment.sorted { $0.key < $1.key }.map { BytePath("\($0.key)=\($0.value)") }
        var process: pid_t = 0
        let result = Self.withCStrings([path] + arguments) { argv in
            Self.withCStrings(variables) { envp in
                argv[0].map { posix_spawn(&process, $0, &actions, &attributes, argv, envp) } ?? EINVAL
            }
        }
        return (result, process)
    }

    private static func withCStrings<Result>(
        _ strings: [BytePath],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = (string.bytes + [0]).withUnsafeBytes { bytes in
                bytes.baseAddress.map { strdup($0.assumingMemoryBound(to: CChar.self)) } ?? nil
            }
        }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }
}
