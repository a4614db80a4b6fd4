// Makes each system call that names a path slower, as a network file system does: preload it and set
// LATENCY_US (microseconds, default 1000). Calls on open descriptors (read, write, fstat, futimens, getdents) are not delayed.
//
//   cc -O2 -shared -fPIC -o latency.so latency.c -ldl
//   LATENCY_US=1000 LD_PRELOAD=./latency.so rsync -a from/ to/
//
// A program that makes a path call by syscall(2) (openat2 has no libc function) is delayed too.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static struct timespec delay = {0, 1000000};
static int slow = 1;

__attribute__((constructor)) static void read_settings(void) {
    const char *text = getenv("LATENCY_US");
    long us = text ? atol(text) : 1000;
    delay.tv_sec = us / 1000000;
    delay.tv_nsec = us % 1000000 * 1000;
    slow = us > 0;
}

static void wait_for_server(void) {
    int saved = errno;
    if (slow) nanosleep(&delay, NULL);
    errno = saved;
}

// An empty name or none means the descriptor itself: no path is looked up.
static void wait_for_path(const char *path) {
    if (path && *path) wait_for_server();
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

// PATH1: the path is the first argument. ATPATH: a directory descriptor, then the path.
#define PATH1(type, name, params, args, path) \
    type name params { NEXT(name); wait_for_path(path); return next args; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); } \
        NEXT(name); wait_for_path(path); return next(path, flags, mode); }
#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); } \
        NEXT(name); wait_for_path(path); return next(at, path, flags, mode); }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
PATH1(int, creat, (const char *path, mode_t mode), (path, mode), path)
PATH1(DIR *, opendir, (const char *path), (path), path)

PATH1(int, stat, (const char *restrict path, struct stat *restrict out), (path, out), path)
PATH1(int, lstat, (const char *restrict path, struct stat *restrict out), (path, out), path)
PATH1(int, stat64, (const char *restrict path, struct stat64 *restrict out), (path, out), path)
PATH1(int, lstat64, (const char *restrict path, struct stat64 *restrict out), (path, out), path)
PATH1(int, fstatat, (int at, const char *restrict path, struct stat *restrict out, int flags), (at, path, out, flags), path)
PATH1(int, fstatat64, (int at, const char *restrict path, struct stat64 *restrict out, int flags), (at, path, out, flags), path)
PATH1(int, statx, (int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict out),
      (at, path, flags, mask, out), path)
PATH1(int, access, (const char *path, int mode), (path, mode), path)
PATH1(int, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags), path)
PATH1(ssize_t, readlink, (const char *restrict path, char *restrict out, size_t size), (path, out, size), path)
PATH1(ssize_t, readlinkat, (int at, const char *restrict path, char *restrict out, size_t size), (at, path, out, size), path)

PATH1(int, mkdir, (const char *path, mode_t mode), (path, mode), path)
PATH1(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), path)
PATH1(int, rmdir, (const char *path), (path), path)
PATH1(int, unlink, (const char *path), (path), path)
PATH1(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), path)
PATH1(int, rename, (const char *from, const char *to), (from, to), to)
PATH1(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), to)
PATH1(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), to)
PATH1(int, link, (const char *from, const char *to), (from, to), to)
PATH1(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), to)
PATH1(int, symlink, (const char *text, const char *path), (text, path), path)
PATH1(int, symlinkat, (const char *text, int at, const char *path), (text, at, path), path)
PATH1(int, mknod, (const char *path, mode_t mode, dev_t device), (path, mode, device), path)
PATH1(int, mknodat, (int at, const char *path, mode_t mode, dev_t device), (at, path, mode, device), path)

PATH1(int, chmod, (const char *path, mode_t mode), (path, mode), path)
PATH1(int, fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags), path)
PATH1(int, chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), path)
PATH1(int, lchown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), path)
PATH1(int, fchownat, (int at, const char *path, uid_t uid, gid_t gid, int flags), (at, path, uid, gid, flags), path)
PATH1(int, utimensat, (int at, const char *path, const struct timespec times[2], int flags), (at, path, times, flags), path)
PATH1(int, chdir, (const char *path), (path), path)
PATH1(int, truncate, (const char *path, off_t size), (path, size), path)

// glibc's header gives syscall(2) a variadic prototype; six words are all that any call takes.
long syscall(long number, ...) {
    static long (*next)(long, ...);
    long word[6];
    va_list list;
    if (!next) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (int i = 0; i < 6; i++) word[i] = va_arg(list, long);
    va_end(list);
    switch (number) {
    case SYS_openat: case SYS_openat2: case SYS_newfstatat: case SYS_statx: case SYS_mkdirat: case SYS_unlinkat:
    case SYS_renameat: case SYS_renameat2: case SYS_linkat: case SYS_symlinkat: case SYS_readlinkat: case SYS_fchmodat:
    case SYS_fchownat: case SYS_utimensat: case SYS_faccessat: case SYS_mknodat:
        wait_for_path((const char *)(uintptr_t)word[1]);
    }
    return next(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}
