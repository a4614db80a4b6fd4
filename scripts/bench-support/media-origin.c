// Many origins in one process: 127.1.0.1 to 127.1.0.HOSTS at one port, each with a latency of its own. One thread, epoll, HTTP/1.1
// with connections kept, bodies sent from the page cache.
//
// media-origin BODIES HOSTS SHORTEST LONGEST KINDS
//   BODIES    a file with a line for each body: its type, a blank, its path; /N/... asks for the Nth
//   SHORTEST, LONGEST   milliseconds from a request to its answer; each host has its own in between
//   KINDS     a character for each host: . answers, x never completes a connection, t sends a byte every two seconds
//
// Prints its port. On SIGTERM it prints what it saw: requests, connections, the most requests under way at one host, the most that
// began within a second at one host.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, HEAD = 4096, BODIES = 1024, HOSTS = 1024, SLOTS = 4096, RECENT = 1024, DRIP_MS = 2000 };

struct body { int file; long size; char head[256]; int head_size; };
struct host { char kind; int latency, under_way; long long recent[RECENT]; long begun; };
struct connection {
    int fd, host, used, closes, dripping;
    const struct body *body;
    long sent;
    struct connection *next;     // in its slot of the wheel
    char head[HEAD];
};

static struct body bodies[BODIES];
static struct host hosts[HOSTS];
static struct connection *connections[CONNECTIONS], *wheel[SLOTS];
static int body_count, host_count, waiting;
static long requests, accepted, most_under_way, most_a_second;
static volatile sig_atomic_t ending;

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void end(int signal) { (void)signal; ending = 1; }

static void answered(struct connection *c) {
    hosts[c->host].under_way--;
    c->body = NULL;
}

/// Connections that wait for their slot are let go of there.
static void forget(struct connection *c) {
    if (c->body) answered(c);
    connections[c->fd] = NULL;
    close(c->fd);
    if (c->next == NULL) free(c); else c->fd = -1;
}

static struct connection *const LAST = (struct connection *)1;

static void wait_for(struct connection *c, long long at) {
    struct connection **slot = &wheel[at % SLOTS];
    c->next = *slot ? *slot : LAST;
    *slot = c;
    waiting++;
}

/// Sends what the socket takes.
static void send_some(struct connection *c) {
    const struct body *body = c->body;
    while (c->sent < body->head_size) {
        long count = send(c->fd, body->head + c->sent, (size_t)(body->head_size - c->sent), MSG_NOSIGNAL | MSG_MORE);
        if (count <= 0) { if (errno != EAGAIN) forget(c); return; }
        c->sent += count;
    }
    while (c->sent < body->head_size + body->size) {
        off_t from = c->sent - body->head_size;
        size_t left = c->dripping ? 1 : (size_t)(body->size - from);
        long count = sendfile(c->fd, body->file, &from, left);
        if (count <= 0) { if (errno != EAGAIN) forget(c); return; }
        c->sent += count;
        if (c->dripping) { wait_for(c, now_ms() + DRIP_MS); return; }
    }
    answered(c);
    if (c->closes) forget(c);
}

static void note(struct host *host) {
    long long now = now_ms();
    requests++;
    if (++host->under_way > most_under_way) most_under_way = host->under_way;
    host->recent[host->begun++ % RECENT] = now;
    long within = 0;
    while (within < RECENT && within < host->begun && now - host->recent[(host->begun - 1 - within) % RECENT] < 1000) within++;
    if (within > most_a_second) most_a_second = within;
}

static void read_some(struct connection *c) {
    long got = recv(c->fd, c->head + c->used, (size_t)(HEAD - 1 - c->used), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) { forget(c); return; }
    if (got < 0 || c->body) return;
    c->used += (int)got;
    c->head[c->used] = 0;
    if (!strstr(c->head, "\r\n\r\n")) { if (c->used == HEAD - 1) forget(c); return; }
    int index = 0;
    c->closes = strcasestr(c->head, "\r\nconnection: close") != NULL;
    if (sscanf(c->head, "GET /%d/", &index) != 1 || index < 0 || index >= body_count) { forget(c); return; }
    c->used = 0;
    c->sent = 0;
    c->body = &bodies[index];
    note(&hosts[c->host]);
    c->dripping = hosts[c->host].kind == 't';
    wait_for(c, now_ms() + hosts[c->host].latency);
}

static void turn(long long from, long long to) {
    for (long long at = from; at < to && waiting > 0; at++) {
        struct connection *c = wheel[at % SLOTS];
        wheel[at % SLOTS] = NULL;
        while (c && c != LAST) {
            struct connection *next = c->next;
            c->next = NULL;
            waiting--;
            if (c->fd < 0) free(c); else send_some(c);
            c = next;
        }
    }
}

static int milliseconds(long long now) {
    if (waiting == 0) return -1;
    for (int ahead = 0; ahead < SLOTS; ahead++) if (wheel[(now + ahead) % SLOTS]) return ahead + 1;
    return -1;
}

static int listen_at(uint32_t address, int port, int backlog) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons((uint16_t)port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // Loopback only: nobody else is to reach it.
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
    if (bind(fd, (struct sockaddr *)&place, sizeof place) || listen(fd, backlog)) { perror("media-origin"); exit(1); }
    return fd;
}

/// A listener whose queue is full: the kernel drops what would connect.
static void close_host(uint32_t address, int port) {
    listen_at(address, port, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons((uint16_t)port)};
    for (int filler = 0; filler < 2; filler++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fd, (struct sockaddr *)&place, sizeof place);
    }
}

static void load(const char *list) {
    char line[4096], type[64], path[3900];
    FILE *file = fopen(list, "r");
    while (file && body_count < BODIES && fgets(line, sizeof line, file) && sscanf(line, "%63s %3899[^\n]", type, path) == 2) {
        struct body *body = &bodies[body_count++];
        struct stat facts;
        body->file = open(path, O_RDONLY);
        if (body->file < 0 || fstat(body->file, &facts)) { perror(path); exit(1); }
        body->size = facts.st_size;
        body->head_size = snprintf(body->head, sizeof body->head,
                                   "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %ld\r\n\r\n", type, body->size);
    }
    if (body_count == 0) { fprintf(stderr, "media-origin: no bodies in %s\n", list); exit(1); }
    fclose(file);
}

static void accept_some(int listening, int poll) {
    for (;;) {
        int on = 1, fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return;
        struct sockaddr_in place;
        socklen_t length = sizeof place;
        getsockname(fd, (struct sockaddr *)&place, &length);
        int host = (int)(ntohl(place.sin_addr.s_addr) & 0xFFFF) - 1;
        struct connection *c = fd < CONNECTIONS && host >= 0 && host < host_count ? calloc(1, sizeof *c) : NULL;
        if (!c) { close(fd); continue; }
        c->fd = fd;
        c->host = host;
        connections[fd] = c;
        accepted++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int count, char **arguments) {
    if (count != 6) { fprintf(stderr, "usage: media-origin BODIES HOSTS SHORTEST LONGEST KINDS\n"); return 64; }
    load(arguments[1]);
    host_count = atoi(arguments[2]);
    int shortest = atoi(arguments[3]), longest = atoi(arguments[4]);
    const char *kinds = arguments[5];
    if (host_count < 1 || host_count > HOSTS || longest < shortest || longest >= SLOTS / 2) return 64;
    signal(SIGTERM, end);
    signal(SIGPIPE, SIG_IGN);
    int listening = listen_at(INADDR_ANY, 0, 4096), poll = epoll_create1(0);
    struct sockaddr_in place;
    socklen_t length = sizeof place;
    getsockname(listening, (struct sockaddr *)&place, &length);
    for (int host = 0; host < host_count; host++) {
        hosts[host].kind = host < (int)strlen(kinds) ? kinds[host] : '.';
        hosts[host].latency = shortest + (int)((unsigned)(host * 7919) % (unsigned)(longest - shortest + 1));
        if (hosts[host].kind == 'x') close_host(0x7F010001U + (unsigned)host, ntohs(place.sin_port));
    }
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    long long turned = now_ms();
    while (!ending) {
        long long now = now_ms();
        turn(turned, now);
        turned = now;
        int ready = epoll_wait(poll, events, 256, milliseconds(now));
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd == listening) { accept_some(listening, poll); continue; }
            struct connection *c = connections[fd];
            if (c && (events[index].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) read_some(c);
            c = connections[fd];
            // What waits for its slot has not begun, or is dripping.
            if (c && c->body && c->next == NULL && (events[index].events & EPOLLOUT)) send_some(c);
        }
    }
    printf("{\"requests\": %ld, \"connections\": %ld, \"most_under_way_at_one_host\": %ld, \"most_a_second_at_one_host\": %ld}\n",
           requests, accepted, most_under_way, most_a_second);
    return 0;
}
