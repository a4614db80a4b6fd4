// One function a system call; CLinux.h says what each is for.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "CLinux.h"

#define MDS_RETRY(type, call)                         \
    type result;                                      \
    do { result = (call); } while (result < 0 && errno == EINTR); \
    return result < 0 ? -errno : result


static void mds_stat_fill(struct mds_stat *out, const struct stat *in) {
    out->dev = in->st_dev; out->ino = in->st_ino; out->rdev = in->st_rdev; out->nlink = in->st_nlink;
    out->size = in->st_size; out->blocks = in->st_blocks;
    out->atime_s = in->st_atim.tv_sec; out->atime_ns = (uint32_t)in->st_atim.tv_nsec;
    out->mtime_s = in->st_mtim.tv_sec; out->mtime_ns = (uint32_t)in->st_mtim.tv_nsec;
    out->ctime_s = in->st_ctim.tv_sec; out->ctime_ns = (uint32_t)in->st_ctim.tv_nsec;
    out->mode = in->st_mode; out->uid = in->st_uid; out->gid = in->st_gid;
}

// MARK: opening

int mds_open_root(const char *path) {
    MDS_RETRY(int, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int mds_open_directory(int at, const char *name) {
    MDS_RETRY(int, openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int mds_open_directory_same_mount(int at, const char *name) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV;
    int result;
    do { result = (int)syscall(SYS_openat2, at, name, &how, sizeof how); } while (result < 0 && errno == EINTR);
    // Kernels before 5.6, and sandboxes that do not know the call.
    if (result < 0 && (errno == ENOSYS || errno == EPERM)) return mds_open_directory(at, name);
    return result < 0 ? -errno : result;
}

int mds_open_file(int at, const char *name, int keep_atime) {
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (keep_atime ? O_NOATIME : 0);
    MDS_RETRY(int, openat(at, name, flags));
}

int mds_open_user_file(const char *path) {
    MDS_RETRY(int, open(path, O_RDONLY | O_CLOEXEC));
}

int mds_open_file_beneath(int at, const char *path) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    MDS_RETRY(int, (int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

int mds_open_directory_beneath(int at, const char *path) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    MDS_RETRY(int, (int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

int mds_open_path_beneath(int at, const char *path) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    MDS_RETRY(int, (int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

int mds_open_without_links(int at) {
    // A filter of system calls, as hardened services have, may kill who calls what it does not know.
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0) return -EPERM;
    int tree = (int)syscall(SYS_open_tree, at, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return -errno;
    struct mount_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.attr_set = MOUNT_ATTR_NOSYMFOLLOW;
    // What is mounted later does not come along: it would have links.
    attributes.propagation = MS_PRIVATE;
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) < 0) {
        int number = errno;
        close(tree);
        return -number;
    }
    return tree;
}

int mds_create(int at, const char *name, uint32_t mode) {
    MDS_RETRY(int, openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

int mds_create_unnamed(int at, uint32_t mode) {
    MDS_RETRY(int, openat(at, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode));
}

int mds_create_unnamed_spool(int at, uint32_t mode) {
    MDS_RETRY(int, openat(at, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode));
}

int mds_memory_file(void) {
    MDS_RETRY(int, memfd_create("mediasync", MFD_CLOEXEC));
}

static void mds_descriptor_path(int fd, char path[40]) {
    snprintf(path, 40, "/proc/self/fd/%d", fd);
}

int mds_link_unnamed(int fd, int at, const char *name) {
    // Root may name the descriptor itself; others go through /proc (linkat(2)).
    int first = linkat(fd, "", at, name, AT_EMPTY_PATH);
    if (first == 0) return 0;
    if (errno != ENOENT) return -errno;
    char path[40];
    mds_descriptor_path(fd, path);
    MDS_RETRY(int, linkat(AT_FDCWD, path, at, name, AT_SYMLINK_FOLLOW));
}

int mds_reopen_for_reading(int fd) {
    char path[40];
    mds_descriptor_path(fd, path);
    MDS_RETRY(int, open(path, O_RDONLY | O_CLOEXEC));
}

int mds_open_or_create(int at, const char *name, uint32_t mode) {
    MDS_RETRY(int, openat(at, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode));
}

int mds_open_path(int at, const char *name) {
    MDS_RETRY(int, openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int mds_close(int fd) { return close(fd) < 0 ? -errno : 0; }
int mds_dup(int fd) { MDS_RETRY(int, fcntl(fd, F_DUPFD_CLOEXEC, 0)); }
int mds_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0; }

// MARK: looking

int mds_fstat(int fd, struct mds_stat *out) {
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    mds_stat_fill(out, &st);
    return 0;
}

int mds_lstat_at(int at, const char *name, struct mds_stat *out) {
    struct stat st;
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    mds_stat_fill(out, &st);
    return 0;
}

long mds_getdents(int fd, void *buffer, size_t size) {
    MDS_RETRY(long, syscall(SYS_getdents64, fd, buffer, size));
}

long mds_readlink(int at, const char *name, char *buffer, size_t size) {
    MDS_RETRY(long, readlinkat(at, name, buffer, size));
}

int mds_filesystem_type(int fd, uint64_t *type) {
    struct statfs st;
    if (fstatfs(fd, &st) < 0) return -errno;
    *type = (uint64_t)st.f_type;
    return 0;
}

int mds_free_space(int fd, uint64_t *bytes_available) {
    struct statvfs st;
    if (fstatvfs(fd, &st) < 0) return -errno;
    *bytes_available = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

int mds_space(int fd, struct mds_space *out) {
    struct statvfs st;
    if (fstatvfs(fd, &st) < 0) return -errno;
    out->bytes = (uint64_t)st.f_blocks * st.f_frsize;
    out->bytes_available = (uint64_t)st.f_bavail * st.f_frsize;
    out->inodes = st.f_files;
    out->inodes_available = st.f_favail;
    out->read_only = (st.f_flag & ST_RDONLY) != 0;
    return 0;
}

int mds_stat_path(const char *path, struct mds_stat *out) {
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    mds_stat_fill(out, &st);
    return 0;
}

int mds_may_write(int fd) { MDS_RETRY(int, faccessat(fd, ".", W_OK | X_OK, AT_EACCESS)); }

int mds_has_access_list(const char *path) {
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

// MARK: bytes

long mds_read(int fd, void *buffer, size_t size) { MDS_RETRY(long, read(fd, buffer, size)); }
long mds_pread(int fd, void *buffer, size_t size, int64_t offset) {
    MDS_RETRY(long, pread(fd, buffer, size, offset));
}
long mds_write(int fd, const void *buffer, size_t size) { MDS_RETRY(long, write(fd, buffer, size)); }
long mds_pwrite(int fd, const void *buffer, size_t size, int64_t offset) {
    MDS_RETRY(long, pwrite(fd, buffer, size, offset));
}
int mds_truncate(int fd, int64_t size) { MDS_RETRY(int, ftruncate(fd, size)); }
int mds_reserve(int fd, int64_t size) { MDS_RETRY(int, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size)); }
int64_t mds_seek_data(int fd, int64_t from) { int64_t r = lseek(fd, from, SEEK_DATA); return r < 0 ? -errno : r; }
int64_t mds_seek_hole(int fd, int64_t from) { int64_t r = lseek(fd, from, SEEK_HOLE); return r < 0 ? -errno : r; }
int64_t mds_seek_start(int fd) { int64_t r = lseek(fd, 0, SEEK_SET); return r < 0 ? -errno : r; }
long mds_copy_range(int from, int to, int64_t offset, size_t size) {
    loff_t in = offset, out = offset;
    MDS_RETRY(long, copy_file_range(from, &in, to, &out, size, 0));
}
long mds_copy_range_to(int from, int64_t at, int to, int64_t position, size_t size) {
    loff_t in = at, out = position;
    MDS_RETRY(long, copy_file_range(from, &in, to, &out, size, 0));
}
int mds_clone(int from, int to) { MDS_RETRY(int, ioctl(to, FICLONE, from)); }
int mds_forget_cache(int fd) { int r = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); return -r; }
int mds_read_sequentially(int fd) { int r = posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); return -r; }

// MARK: durability

int mds_fsync(int fd) { MDS_RETRY(int, fsync(fd)); }
int mds_syncfs(int fd) { MDS_RETRY(int, syncfs(fd)); }
int mds_begin_writeback(int fd) { MDS_RETRY(int, sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)); }
int mds_wait_for_writeback(int fd) { MDS_RETRY(int, sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE)); }

// MARK: attributes

int mds_set_times(int fd, int64_t atime_s, uint32_t atime_ns, int64_t mtime_s, uint32_t mtime_ns) {
    struct timespec times[2] = {{atime_s, (long)atime_ns}, {mtime_s, (long)mtime_ns}};
    MDS_RETRY(int, futimens(fd, times));
}
int mds_set_times_path(int fd, int64_t atime_s, uint32_t atime_ns, int64_t mtime_s, uint32_t mtime_ns) {
    struct timespec times[2] = {{atime_s, (long)atime_ns}, {mtime_s, (long)mtime_ns}};
    MDS_RETRY(int, utimensat(fd, "", times, AT_EMPTY_PATH));
}
int mds_chmod(int fd, uint32_t mode) { MDS_RETRY(int, fchmod(fd, mode)); }
int mds_chmod_path(int fd, uint32_t mode) {
    char path[40];
    mds_descriptor_path(fd, path);
    MDS_RETRY(int, chmod(path, mode));
}
int mds_chown(int fd, uint32_t uid, uint32_t gid) { MDS_RETRY(int, fchown(fd, uid, gid)); }
int mds_chown_path(int fd, uint32_t uid, uint32_t gid) { MDS_RETRY(int, fchownat(fd, "", uid, gid, AT_EMPTY_PATH)); }
long mds_xattr_list(int fd, char *buffer, size_t size) { MDS_RETRY(long, flistxattr(fd, buffer, size)); }
long mds_xattr_get(int fd, const char *name, void *buffer, size_t size) {
    MDS_RETRY(long, fgetxattr(fd, name, buffer, size));
}
int mds_xattr_set(int fd, const char *name, const void *value, size_t size) {
    MDS_RETRY(int, fsetxattr(fd, name, value, size, 0));
}
int mds_xattr_remove(int fd, const char *name) { MDS_RETRY(int, fremovexattr(fd, name)); }

// MARK: names

int mds_mkdir(int at, const char *name, uint32_t mode) { MDS_RETRY(int, mkdirat(at, name, mode)); }
int mds_unlink(int at, const char *name) { MDS_RETRY(int, unlinkat(at, name, 0)); }
int mds_rmdir(int at, const char *name) { MDS_RETRY(int, unlinkat(at, name, AT_REMOVEDIR)); }
int mds_rename(int from, const char *old, int to, const char *new_name) {
    MDS_RETRY(int, renameat(from, old, to, new_name));
}
int mds_rename_noreplace(int from, const char *old, int to, const char *new_name) {
    MDS_RETRY(int, renameat2(from, old, to, new_name, RENAME_NOREPLACE));
}
int mds_link(int from, const char *old, int to, const char *new_name) {
    MDS_RETRY(int, linkat(from, old, to, new_name, 0));
}
int mds_symlink(const char *text, int at, const char *name) { MDS_RETRY(int, symlinkat(text, at, name)); }
int mds_mknod(int at, const char *name, uint32_t mode, uint64_t device) {
    MDS_RETRY(int, mknodat(at, name, mode, (dev_t)device));
}

// MARK: process

int mds_lock(int fd) { MDS_RETRY(int, flock(fd, LOCK_EX | LOCK_NB)); }

int64_t mds_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit wanted = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
    }
    return limit.rlim_cur > 1 << 20 ? 1 << 20 : (int64_t)limit.rlim_cur;
}

int64_t mds_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
int64_t mds_process_cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
int64_t mds_thread_cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
void mds_sleep_ns(int64_t ns) {
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    nanosleep(&time, NULL);
}
const char *mds_errno_name(int number) {
    const char *name = strerrorname_np(number);
    return name ? name : "E?";
}

const char *mds_strerror(int number, char *buffer, size_t size) { return strerror_r(number, buffer, size); }

int mds_terminal_columns(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    return size.ws_col;
}
