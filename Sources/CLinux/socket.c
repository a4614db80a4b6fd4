// A child and the socket between us: CLinux.h says what each is for.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>
#include "CLinux.h"

int mds_spawn_close_from(void *file_actions, int first) {
    return -posix_spawn_file_actions_addclosefrom_np(file_actions, first);
}

enum { DESCRIPTORS_MAX = 16 };

int mds_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
};

long mds_send(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count) {
    if (descriptor_count > DESCRIPTORS_MAX) return -E2BIG;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union control control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        size_t size = sizeof(int) * (size_t)descriptor_count;
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    ssize_t result;
    do { result = sendmsg(socket, &message, MSG_NOSIGNAL); } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

long mds_receive(int socket, void *bytes, size_t room, int *descriptors, int *descriptor_count) {
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    union control control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
    };
    ssize_t result;
    do { result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC); } while (result < 0 && errno == EINTR);
    int most = *descriptor_count, count = 0, fits = 1;
    *descriptor_count = 0;
    if (result < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < received; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
            if (count < most) descriptors[count++] = descriptor;
            else {
                close(descriptor);
                fits = 0;
            }
        }
    }
    if (fits && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        *descriptor_count = count;
        return result;
    }
    while (count > 0) close(descriptors[--count]);
    return -EMSGSIZE;
}

int mds_wait_readable(int socket, int64_t milliseconds) {
    struct pollfd waiting = {.fd = socket, .events = POLLIN};
    int time = milliseconds < 0 ? -1 : milliseconds > 3600000 ? 3600000 : (int)milliseconds;
    int result = poll(&waiting, 1, time);
    return result < 0 ? (errno == EINTR ? 0 : -errno) : result;
}

int mds_wait_closed(int socket) {
    // Without events only the other end's going is told.
    struct pollfd waiting = {.fd = socket, .events = POLLRDHUP};
    int result;
    do { result = poll(&waiting, 1, -1); } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

// A name that begins with a NUL is in no directory: it goes with the socket, whatever kills its process.
static socklen_t abstract_address(struct sockaddr_un *address, const void *name, size_t count) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (count == 0 || count > sizeof address->sun_path - 1) return 0;
    memcpy(address->sun_path + 1, name, count);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + count);
}

int mds_listen_here(const void *name, size_t count) {
    struct sockaddr_un address;
    socklen_t size = abstract_address(&address, name, count);
    if (size == 0) return -EINVAL;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) return -errno;
    if (bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 32) == 0) return listener;
    int error = errno;
    close(listener);
    return -error;
}

int mds_accept(int listener) {
    int result;
    do { result = accept4(listener, NULL, NULL, SOCK_CLOEXEC); } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

int mds_connect_here(const void *name, size_t count, int64_t milliseconds) {
    struct sockaddr_un address;
    socklen_t size = abstract_address(&address, name, count);
    if (size == 0) return -EINVAL;
    int caller = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (caller < 0) return -errno;
    // Where the listener's queue is full, connecting waits so long and no longer.
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    int result = setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    if (result == 0) do { result = connect(caller, (struct sockaddr *)&address, size); } while (result < 0 && errno == EINTR);
    if (result == 0) return caller;
    int error = errno;
    close(caller);
    return -error;
}

int mds_peer_user(int socket, uint32_t *user) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return -errno;
    *user = credentials.uid;
    return 0;
}

int mds_shut(int socket) {
    return shutdown(socket, SHUT_RDWR) < 0 ? -errno : 0;
}
