// Linux system calls as Swift wants them: no variadics, no errno. Every function returns a value >= 0 or -errno.
// EINTR is retried where POSIX allows it (never for close). No system header is included here: with _GNU_SOURCE they would
// define types otherwise than Swift's own Glibc module does.
#ifndef MEDIASYNC_CSYSTEM_H
#define MEDIASYNC_CSYSTEM_H

#include <stddef.h>
#include <stdint.h>

/// What one stat call tells: the fields of struct stat with fixed widths.
struct mds_stat {
    uint64_t dev, ino, rdev, nlink;
    int64_t size, blocks;
    int64_t atime_s, mtime_s, ctime_s;
    uint32_t atime_ns, mtime_ns, ctime_ns;
    uint32_t mode, uid, gid;
};

/// How much of a file system is in use; without inodes where it has no fixed number of them.
struct mds_space {
    uint64_t bytes, bytes_available, inodes, inodes_available;
    uint32_t read_only;
};

// MARK: opening
/// A directory given by the user as a path: links in it are followed.
int mds_open_root(const char *path);
/// A directory named in a held directory; a link is refused (ENOTDIR).
int mds_open_directory(int at, const char *name);
/// The same, and EXDEV where something is mounted there.
int mds_open_directory_same_mount(int at, const char *name);
/// A file for reading; a link is refused (ELOOP), a fifo does not block. keep_atime: EPERM for other people's files.
int mds_open_file(int at, const char *name, int keep_atime);
/// A file the user named, for reading: links are followed.
int mds_open_user_file(const char *path);
/// A file for reading by a path of several components: no link is followed, nothing above is reached.
int mds_open_file_beneath(int at, const char *path);
/// A directory by a path of several components: no link is followed, nothing above is reached.
int mds_open_directory_beneath(int at, const char *path);
/// A handle to an entry by a path of several components: no link is followed, nothing above is reached. What is at the end
/// may be a link.
int mds_open_path_beneath(int at, const char *path);
/// A directory as a mount of our own, in which the kernel follows no link; what is mounted below comes along. The mount has
/// no place among the others and is gone when it is closed. -EPERM without rights or below a filter of system calls,
/// -ENOSYS or -EINVAL before Linux 5.14.
int mds_open_without_links(int at);
/// A new file that must not exist.
int mds_create(int at, const char *name, uint32_t mode);
/// A new file without a name, in the file system of a directory; EOPNOTSUPP or EISDIR where that is not known.
int mds_create_unnamed(int at, uint32_t mode);
/// The same, for writing and reading it back.
int mds_create_unnamed_spool(int at, uint32_t mode);
/// A file in memory alone.
int mds_memory_file(void);
/// Gives an unnamed file its first name, which must be free.
int mds_link_unnamed(int fd, int at, const char *name);
/// A second descriptor of an open file, for reading.
int mds_reopen_for_reading(int fd);
/// A file that may exist, for a marker; a link is refused.
int mds_open_or_create(int at, const char *name, uint32_t mode);
/// A handle to the entry itself, whatever it is, without opening it.
int mds_open_path(int at, const char *name);
int mds_close(int fd);
int mds_dup(int fd);
/// Two ends that programs started by this process do not inherit: reader, writer.
int mds_pipe(int ends[2]);

// MARK: looking
int mds_fstat(int fd, struct mds_stat *out);
int mds_lstat_at(int at, const char *name, struct mds_stat *out);
long mds_getdents(int fd, void *buffer, size_t size);
long mds_readlink(int at, const char *name, char *buffer, size_t size);
/// The file system's magic number (statfs f_type).
int mds_filesystem_type(int fd, uint64_t *type);
int mds_free_space(int fd, uint64_t *bytes_available);
int mds_space(int fd, struct mds_space *out);
/// An entry by a path that the user named: links are followed.
int mds_stat_path(const char *path, struct mds_stat *out);
/// 0 where this process may make entries in a directory.
int mds_may_write(int fd);
/// 1 where an entry has an access list beside its mode.
int mds_has_access_list(const char *path);

// MARK: bytes
long mds_read(int fd, void *buffer, size_t size);
long mds_pread(int fd, void *buffer, size_t size, int64_t offset);
long mds_write(int fd, const void *buffer, size_t size);
long mds_pwrite(int fd, const void *buffer, size_t size, int64_t offset);
int mds_truncate(int fd, int64_t size);
/// Reserves blocks without changing the length.
int mds_reserve(int fd, int64_t size);
int64_t mds_seek_data(int fd, int64_t from);
int64_t mds_seek_hole(int fd, int64_t from);
int64_t mds_seek_start(int fd);
/// Copies inside the kernel from one position of both files.
long mds_copy_range(int from, int to, int64_t offset, size_t size);
/// The same to another place.
long mds_copy_range_to(int from, int64_t at, int to, int64_t position, size_t size);
/// Shares all blocks of one file with another (btrfs, XFS).
int mds_clone(int from, int to);
int mds_forget_cache(int fd);
int mds_read_sequentially(int fd);

// MARK: durability
int mds_fsync(int fd);
int mds_syncfs(int fd);
/// Begins write-out, and waits for nothing.
int mds_begin_writeback(int fd);
/// Waits for write-out that began; tells what it came to, and flushes nothing.
int mds_wait_for_writeback(int fd);

// MARK: attributes
int mds_set_times(int fd, int64_t atime_s, uint32_t atime_ns, int64_t mtime_s, uint32_t mtime_ns);
/// The same for an O_PATH handle (links, devices, unreadable files).
int mds_set_times_path(int fd, int64_t atime_s, uint32_t atime_ns, int64_t mtime_s, uint32_t mtime_ns);
int mds_chmod(int fd, uint32_t mode);
int mds_chmod_path(int fd, uint32_t mode);
int mds_chown(int fd, uint32_t uid, uint32_t gid);
int mds_chown_path(int fd, uint32_t uid, uint32_t gid);
long mds_xattr_list(int fd, char *buffer, size_t size);
long mds_xattr_get(int fd, const char *name, void *buffer, size_t size);
int mds_xattr_set(int fd, const char *name, const void *value, size_t size);
int mds_xattr_remove(int fd, const char *name);

// MARK: names
int mds_mkdir(int at, const char *name, uint32_t mode);
int mds_unlink(int at, const char *name);
int mds_rmdir(int at, const char *name);
int mds_rename(int from, const char *old, int to, const char *new_name);
/// Fails with EEXIST where the new name is taken.
int mds_rename_noreplace(int from, const char *old, int to, const char *new_name);
int mds_link(int from, const char *old, int to, const char *new_name);
int mds_symlink(const char *text, int at, const char *name);
int mds_mknod(int at, const char *name, uint32_t mode, uint64_t device);

// MARK: process
/// An exclusive lock without waiting: EWOULDBLOCK where another process holds it.
int mds_lock(int fd);
/// Raises the soft descriptor limit to the hard one and returns what is in force.
int64_t mds_raise_descriptor_limit(void);
int64_t mds_monotonic_ns(void);
/// CPU time of all threads of the process.
int64_t mds_process_cpu_ns(void);
/// CPU time of the calling thread.
int64_t mds_thread_cpu_ns(void);
void mds_sleep_ns(int64_t ns);

// MARK: confinement: a process gives up rights for good; none of these can be undone
/// Limits of this process: address space, CPU seconds, bytes of a file it writes, open descriptors; no core dumps.
int mds_limit_self(int64_t address_bytes, int64_t cpu_seconds, int64_t file_bytes, int64_t descriptors);
/// CPU seconds from now on.
int mds_limit_cpu_from_now(int64_t seconds);
/// Programs started from here on get no more rights than this one has.
int mds_no_new_privileges(void);
/// This process is killed when the thread that started it ends.
int mds_die_with_parent(void);
/// A network of its own, without interfaces; -EPERM where the kernel does not let us.
int mds_leave_network(void);
/// Calls of the kernel that a decoder has no use for fail with EPERM: sockets, mounts, tracing, new namespaces. With
/// `strict` also starting programs and everything that changes the file system.
int mds_deny_calls(int strict);
/// Whether the next one can be done: 1, or 0.
int mds_can_confine_files(void);
/// Files can be opened only below the system's directories, for reading, and where they are one of these descriptors.
int mds_confine_files(const int *readable, int readable_count, const int *writable, int writable_count);

// MARK: a child and the socket between us
/// Adds to a posix_spawn_file_actions_t that everything from this number on is closed in the child.
int mds_spawn_close_from(void *file_actions, int first);
/// Two ends of a connection that keeps messages apart.
int mds_socket_pair(int ends[2]);
/// Sends one message and descriptors with it.
long mds_send(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
/// Receives one message; 0 where the other end is closed. `descriptor_count` is their room, then their number; -EMSGSIZE
/// where the message or its descriptors did not fit, which are then closed.
long mds_receive(int socket, void *bytes, size_t room, int *descriptors, int *descriptor_count);
/// Waits until something can be received or the other end is closed: 1, or 0 after the time. Negative waits for ever.
int mds_wait_readable(int socket, int64_t milliseconds);
/// Waits until the other end is closed.
int mds_wait_closed(int socket);

// MARK: a socket that processes of this machine find by a name
/// Listens under a name that is in no directory. Accepting does not wait.
int mds_listen_here(const void *name, size_t count);
/// The next one who calls; -EAGAIN where nobody does.
int mds_accept(int listener);
/// Calls whoever listens under a name; waits so long where too many call.
int mds_connect_here(const void *name, size_t count, int64_t milliseconds);
/// As whom the process at the other end called, or began to listen.
int mds_peer_user(int socket, uint32_t *user);
/// Ends the waiting of all who use it.
int mds_shut(int socket);

// MARK: errors
const char *mds_errno_name(int number);
/// The text of an error number, thread-safe.
const char *mds_strerror(int number, char *buffer, size_t size);
/// The terminal's width in columns, or -errno where fd is none.
int mds_terminal_columns(int fd);

#endif
