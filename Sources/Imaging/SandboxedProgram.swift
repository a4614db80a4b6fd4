internal import CLinux
internal import Glibc
package import MediaModel
internal import Programs

/// Starts ffmpeg and its like without the rights that they do not need: this process gives them up, then becomes the
/// program.
package enum SandboxedProgram {
    /// The name of the hidden command that calls `become`.
    package static let command = "sandbox-exec"
    /// The numbers of the files that the program reads and writes.
    static let input: Int32 = 3
    static let output: Int32 = 4
    private static let descriptorMax: Int64 = 256
    static let cannotStart: Int32 = 126

    /// What the program may use.
    struct Limits {
        var addressBytes: Int64
        var cpuSeconds: Int64
        var fileBytes: Int64
        /// How many files the program is given: none, the input, or the input and the output.
        var files: Int
    }

    static func arguments(_ limits: Limits) -> [String] {
        [command, "\(limits.addressBytes)", "\(limits.cpuSeconds)", "\(limits.fileBytes)", "\(limits.files)"]
    }

    /// Never returns where all goes well.
    /// - Parameter program: the path of the program and its arguments.
    package static func become(
        _ program: [BytePath],
        addressBytes: Int64,
        cpuSeconds: Int64,
        fileBytes: Int64,
        files: Int
    ) -> Int32 {
        if program.isEmpty { return cannotStart }
        Confinement.yieldProcessor()
        guard mds_limit_self(addressBytes, cpuSeconds, fileBytes, descriptorMax) == 0, mds_no_new_privileges() == 0,
            mds_die_with_parent() == 0
        else { return cannotStart }
        guard Confinement.leaveNetworkAndFiles(readable: files > 0 ? [input] : [], writable: files > 1 ? [output] : []),
            Confinement.denyCalls(isStrict: false)
        else { return cannotStart }
        // They must survive the start.
        for descriptor in [input, output].prefix(files) { _ = fcntl(descriptor, F_SETFD, 0) }
        return ProgramCall(program[0], Array(program.dropFirst())).withArguments { argv, envp in
            _ = argv[0].map { execve($0, argv, envp) }
            return cannotStart
        }
    }
}
