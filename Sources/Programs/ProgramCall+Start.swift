internal import CLinux
internal import Glibc
internal import MediaModel

extension ProgramCall {
    /// Above everything that a program is given.
    private static let highDescriptor: Int32 = 64

    /// Starts it with default signals.
    /// - Parameters:
    ///   - descriptors: what it has as 0, 1, 2 and so on; nil stands for /dev/null.
    ///   - inOwnGroup: whether it gets a process group of its own.
    ///   - closingOthers: whether it gets nothing that somebody left open in this process or its parent. Not later, in the
    ///     program: by then its runtime may have files of its own.
    /// - Returns: 0 and the process, or the number of an error.
    package func start(
        _ descriptors: [Int32?],
        inOwnGroup: Bool = true,
        closingOthers: Bool = true
    ) -> (error: Int32, process: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Copies high up, so that no number that is taken is one that is still needed.
        var copies: [Int32] = []
        defer { copies.forEach { _ = close($0) } }
        for (number, descriptor) in descriptors.enumerated() {
            guard let descriptor else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
                continue
            }
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, Self.highDescriptor)
            if copy < 0 { return (errno, 0) }
            copies.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, Int32(number))
        }
        if closingOthers { _ = mds_spawn_close_from(&actions, Int32(descriptors.count)) }
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
        var process: pid_t = 0
        let result = withArguments { argv, envp in
            argv[0].map { posix_spawn(&process, $0, &actions, &attributes, argv, envp) } ?? EINVAL
        }
        return (result, process)
    }

    /// Its arguments, the path first, and its environment, as `exec` and its like take them.
    package func withArguments<Result>(
        _ body: (
            _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
            _ envp: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
        ) -> Result
    ) -> Result {
        let variables = environment.sorted { $0.key < $1.key }.map { BytePath("\($0.key)=\($0.value)") }
        return Self.withCStrings([path] + arguments) { argv in
            Self.withCStrings(variables) { envp in body(argv, envp) }
        }
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
