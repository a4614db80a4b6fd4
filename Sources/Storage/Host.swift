internal import CLinux
internal import Glibc

/// What engines ask of the process and the kernel: read once at the start of a run, passed in.
package struct Host: Sendable {
    /// Effective user and group: what new files get.
    package var user: UInt32
    package var group: UInt32
    /// How many descriptors may be open.
    package var descriptorLimit: Int
    package var processors: Int
    /// The umask the process was started with: `--chmod` without `ugoa` follows it.
    package var creationMask: UInt32

    package var isRoot: Bool { user == 0 }

    /// Looks at the running process; raises the soft descriptor limit to the hard one and clears the umask (modes are
    /// given exactly).
    package static func current() -> Host {
        let mask = umask(0)
        return Host(
            user: geteuid(),
            group: getegid(),
            descriptorLimit: max(16, Int(mds_raise_descriptor_limit())),
            processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            creationMask: UInt32(mask)
        )
    }

    package init(user: UInt32, group: UInt32, descriptorLimit: Int, processors: Int, creationMask: UInt32 = 0o022) {
        self.user = user
        self.group = group
        self.descriptorLimit = descriptorLimit
        self.processors = processors
        self.creationMask = creationMask
    }

    /// Monotonic nanoseconds.
    package static func monotonicNanoseconds() -> Int64 { mds_monotonic_ns() }

    /// CPU nanoseconds that the calling thread has used.
    package static func threadNanoseconds() -> Int64 { mds_thread_cpu_ns() }

    /// CPU nanoseconds that all threads of the process have used.
    package static func processorNanoseconds() -> Int64 { mds_process_cpu_ns() }

    /// The wall clock that file systems stamp changes with.
    package static func wallClock() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: UInt32(now.tv_nsec))
    }

    /// Blocks the calling thread: for threads of our own pools only.
    package static func sleep(nanoseconds: Int64) { mds_sleep_ns(nanoseconds) }
}
