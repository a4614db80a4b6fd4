// An origin of small files that is never the slower side: one thread, epoll, HTTP/1.1 with connections kept.
// origin SIZE: listens on all of 127.0.0.0/8 at a port of its own, prints it, and answers every GET with SIZE bytes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, HEAD = 4096 };

// What is unread of a request, and what is unsent of answers.
static struct { char head[HEAD]; int used; long owed; } *connections[CONNECTIONS];
static char *answer;
static long answer_size;

static int flush(int fd) {
    while (connections[fd]->owed > 0) {
        long at = answer_size - connections[fd]->owed;
        long sent = send(fd, answer + at, connections[fd]->owed, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return 0;
        connections[fd]->owed -= sent;
    }
    return 1;
}

static void forget(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

// One request at a time: clients of this benchmark do not send the next before they have the answer.
static void serve(int fd) {
    if (!flush(fd)) return;
    long got = recv(fd, connections[fd]->head + connections[fd]->used, HEAD - connections[fd]->used, MSG_DONTWAIT);
    if (got == 0) { forget(fd); return; }
    if (got < 0) return;
    connections[fd]->used += got;
    if (memmem(connections[fd]->head, connections[fd]->used, "\r\n\r\n", 4)) {
        connections[fd]->used = 0;
        connections[fd]->owed = answer_size;
        flush(fd);
    } else if (connections[fd]->used == HEAD) {
        forget(fd);
    }
}

int main(int count, char **arguments) {
    long size = count > 1 ? atol(arguments[1]) : 2048;
    answer = malloc(size + 256);
    int head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %ld\r\n\r\n", size);
    memset(answer + head, 'x', size);
    answer_size = head + size;

    int listening = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    // Loopback only: nobody else is to reach it.
    setsockopt(listening, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
    socklen_t length = sizeof place;
    if (bind(listening, (struct sockaddr *)&place, length) || listen(listening, 4096)) { perror("origin"); return 1; }
    getsockname(listening, (struct sockaddr *)&place, &length);
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);

    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, 256, -1);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd != listening) { serve(fd); continue; }
            fd = accept(listening, NULL, NULL);
            if (fd < 0 || fd >= CONNECTIONS || !(connections[fd] = calloc(1, sizeof **connections))) { if (fd >= 0) close(fd); continue; }
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            event = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
