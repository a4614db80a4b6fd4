// What a process can give up: CLinux.h says what each is for.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "CLinux.h"

static int limit(int which, int64_t value) {
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)which, &now) < 0) return -errno;
    // Where it is lower already, it stays.
    rlim_t wanted = (rlim_t)value;
    if (now.rlim_max != RLIM_INFINITY && wanted > now.rlim_max) wanted = now.rlim_max;
    struct rlimit new = {wanted, wanted};
    return setrlimit((__rlimit_resource_t)which, &new) < 0 ? -errno : 0;
}

int mds_limit_self(int64_t address_bytes, int64_t cpu_seconds, int64_t file_bytes, int64_t descriptors) {
    int result = limit(RLIMIT_CORE, 0);
    if (result == 0) result = limit(RLIMIT_AS, address_bytes);
    if (result == 0 && cpu_seconds > 0) result = limit(RLIMIT_CPU, cpu_seconds);
    if (result == 0) result = limit(RLIMIT_FSIZE, file_bytes);
    if (result == 0) result = limit(RLIMIT_NOFILE, descriptors);
    return result;
}

int mds_limit_cpu_from_now(int64_t seconds) {
    struct rlimit now;
    if (getrlimit(RLIMIT_CPU, &now) < 0) return -errno;
    now.rlim_cur = (rlim_t)(mds_process_cpu_ns() / 1000000000 + 1 + seconds);
    if (now.rlim_max != RLIM_INFINITY && now.rlim_cur > now.rlim_max) now.rlim_cur = now.rlim_max;
    return setrlimit(RLIMIT_CPU, &now) < 0 ? -errno : 0;
}

int mds_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }

int mds_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0; }

int mds_leave_network(void) {
    if (unshare(CLONE_NEWNET) == 0) return 0;
    // Who is not root may do it in a user namespace of its own, where the kernel allows those.
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -errno : 0;
}

// MARK: calls of the kernel

#if defined(__x86_64__)
#define MDS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MDS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/// What no decoder needs.
static const int denied[] = {
    SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_open_by_handle_at,
    SYS_keyctl, SYS_add_key, SYS_request_key, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
    SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime,
    // They would do what is denied here.
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
};

/// What changes the file system or starts programs; a decoder writes to descriptors that it was given.
static const int denied_strictly[] = {
    SYS_execve, SYS_execveat,
    SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_linkat, SYS_symlinkat, SYS_mknodat, SYS_fchmodat, SYS_fchownat,
    SYS_truncate, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr,
    SYS_fchmod, SYS_fchown, SYS_socketpair, SYS_kill, SYS_openat2,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_unlink, SYS_rmdir, SYS_rename, SYS_renameat, SYS_mkdir, SYS_link, SYS_symlink, SYS_mknod,
    SYS_chmod, SYS_chown, SYS_lchown, SYS_creat, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};

enum { PROGRAM_MAX = 256 };

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short count;
};

static void add(struct program *program, struct sock_filter step) {
    if (program->count < PROGRAM_MAX) program->code[program->count++] = step;
}

static void load(struct program *program, size_t offset) {
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset));
}

static void answer(struct program *program, unsigned int value) {
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/// The next step runs only for this call.
static void only_for(struct program *program, int call, unsigned char steps) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call, 0, steps));
}

static void deny(struct program *program, int call) {
    only_for(program, call, 1);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

/// Denies a call where an argument has any of these bits, or none of them.
static void deny_by_bits(struct program *program, int call, int argument, unsigned int bits, int where_set) {
    only_for(program, call, 4);
    load(program, offsetof(struct seccomp_data, args) + (size_t)argument * 8);
    add(program, (struct sock_filter)BPF_JUMP(
                     BPF_JMP | BPF_JSET | BPF_K, bits, where_set ? 0 : 1, where_set ? 1 : 0));
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    load(program, offsetof(struct seccomp_data, nr));
}

int mds_deny_calls(int strict) {
#ifdef MDS_ARCHITECTURE
    struct program program = {.count = 0};
    load(&program, offsetof(struct seccomp_data, arch));
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MDS_ARCHITECTURE, 1, 0));
    answer(&program, SECCOMP_RET_KILL_PROCESS);
    load(&program, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // The second set of numbers of the same processor.
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    answer(&program, SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) deny(&program, denied[i]);
    if (strict) {
        for (size_t i = 0; i < sizeof denied_strictly / sizeof *denied_strictly; i++) deny(&program, denied_strictly[i]);
        deny_by_bits(&program, SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1);
#if defined(__x86_64__)
        deny_by_bits(&program, SYS_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1);
#endif
        // Threads, but no processes. The newer call's flags cannot be seen here: the C library falls back to the older one.
        deny_by_bits(&program, SYS_clone, 0, CLONE_THREAD, 0);
        only_for(&program, SYS_clone3, 1);
        answer(&program, SECCOMP_RET_ERRNO | ENOSYS);
    }
    answer(&program, SECCOMP_RET_ALLOW);
    if (program.count >= PROGRAM_MAX) return -E2BIG;
    struct sock_fprog filter = {.len = program.count, .filter = program.code};
    // For all threads of the process.
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    return result == 0 ? 0 : result < 0 ? -errno : -ESRCH;
#else
    (void)strict;
    return -EOPNOTSUPP;
#endif
}

// MARK: files

// The kernel's own header may be older than the kernel.
enum {
    EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3,
    /// Everything that makes or removes names.
    CHANGE_NAMES = 0x1FF0,
    /// Since the kernel's third version of this.
    TRUNCATE = 1 << 14,
};
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, VERSION_FLAG = 1, PATH_BENEATH = 1 };

struct ruleset_attributes {
    uint64_t handled;
};

struct beneath_attributes {
    uint64_t allowed;
    int32_t descriptor;
} __attribute__((packed));

/// What programs and libraries are read from.
static const char *const system_places[] = {
    "/usr", "/lib", "/lib64", "/bin", "/opt", "/snap", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime",
    "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom",
};

static int allow(int rules, int descriptor, uint64_t rights) {
    struct beneath_attributes place = {.allowed = rights, .descriptor = descriptor};
    return syscall(ADD_RULE, rules, PATH_BENEATH, &place, 0) < 0 ? -errno : 0;
}

static int allow_system(int rules) {
    for (size_t i = 0; i < sizeof system_places / sizeof *system_places; i++) {
        int descriptor = open(system_places[i], O_PATH | O_CLOEXEC);
        if (descriptor < 0) continue;
        struct mds_stat stat;
        int result = mds_fstat(descriptor, &stat);
        if (result == 0) {
            int is_directory = (stat.mode & 0170000) == 0040000;
            result = allow(rules, descriptor, is_directory ? EXECUTE | READ_FILE | READ_DIR : READ_FILE);
        }
        close(descriptor);
        if (result < 0) return result;
    }
    return 0;
}

int mds_can_confine_files(void) { return syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG) > 0; }

int mds_confine_files(const int *readable, int readable_count, const int *writable, int writable_count) {
    long version = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
    if (version < 0) return -errno;
    uint64_t truncate = version >= 3 ? TRUNCATE : 0;
    struct ruleset_attributes attributes = {EXECUTE | WRITE_FILE | READ_FILE | READ_DIR | CHANGE_NAMES | truncate};
    int rules = (int)syscall(CREATE_RULESET, &attributes, sizeof attributes, 0);
    if (rules < 0) return -errno;
    int result = allow_system(rules);
    for (int i = 0; i < readable_count && result == 0; i++) result = allow(rules, readable[i], READ_FILE);
    for (int i = 0; i < writable_count && result == 0; i++)
        result = allow(rules, writable[i], READ_FILE | WRITE_FILE | truncate);
    if (result == 0 && syscall(RESTRICT_SELF, rules, 0) < 0) result = -errno;
    close(rules);
    return result;
}
