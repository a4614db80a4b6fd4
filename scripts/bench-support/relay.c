// Stands between a client and a server on loopback: hands bytes on after half the latency each way, as fast as they come
// otherwise, and counts them.
//
//   relay PORT MICROSECONDS
//
// Prints the port that it listens on. For each line on its input it prints the bytes since the last one, both ways together;
// it ends with its input. One thread: what it costs is what a reading and a writing of each byte cost.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 256 << 10, WAITING_MAX = 64 << 20, PAIRS_MAX = 64 };

struct piece {
    struct piece *next;
    int64_t due;
    size_t count, done;
    char bytes[PIECE];
};

// One direction of a connection.
struct way {
    int from, to;
    struct piece *first, *last;
    size_t waiting;
    int isEnded, isOver, isFull;
};

static struct way ways[PAIRS_MAX * 2];
static int wayCount;
static struct piece *spare;
static unsigned long long taken;
static int64_t delay;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static struct piece *newPiece(void) {
    struct piece *piece = spare;
    if (piece) spare = piece->next;
    else if (!(piece = malloc(sizeof *piece))) fail("malloc");
    piece->next = NULL;
    piece->done = 0;
    return piece;
}

static void release(struct piece *piece) {
    piece->next = spare;
    spare = piece;
}

// The other side wants no more: nothing is read for it either.
static void give(struct way *way) {
    while (way->first) {
        struct piece *piece = way->first;
        way->first = piece->next;
        release(piece);
    }
    way->last = NULL;
    way->waiting = 0;
    way->isOver = way->isEnded = 1;
    shutdown(way->from, SHUT_RD);
}

static void take(struct way *way) {
    struct piece *piece = newPiece();
    ssize_t count = read(way->from, piece->bytes, PIECE);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return release(piece);
    if (count <= 0) {
        way->isEnded = 1;
        return release(piece);
    }
    piece->count = (size_t)count;
    piece->due = now() + delay;
    taken += (size_t)count;
    way->waiting += (size_t)count;
    if (way->last) way->last->next = piece;
    else way->first = piece;
    way->last = piece;
}

static void hand(struct way *way) {
    way->isFull = 0;
    while (way->first && way->first->due <= now()) {
        struct piece *piece = way->first;
        ssize_t count = write(way->to, piece->bytes + piece->done, piece->count - piece->done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            way->isFull = 1;
            return;
        }
        if (count < 0) return give(way);
        piece->done += (size_t)count;
        if (piece->done < piece->count) continue;
        way->waiting -= piece->count;
        way->first = piece->next;
        if (!way->first) way->last = NULL;
        release(piece);
    }
    if (way->isEnded && !way->first && !way->isOver) {
        way->isOver = 1;
        shutdown(way->to, SHUT_WR);
    }
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// The places of connections that are over are used again.
static int freePair(void) {
    for (int index = 0; index < wayCount; index += 2) {
        if (!ways[index].isOver || !ways[index + 1].isOver) continue;
        close(ways[index].from);
        close(ways[index].to);
        return index;
    }
    if (wayCount == PAIRS_MAX * 2) return -1;
    wayCount += 2;
    return wayCount - 2;
}

static void connectPair(int listener, int port) {
    int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC), far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in server = loopback(port);
    if (near < 0 || far < 0) fail("socket");
    int index = freePair();
    if (index < 0 || connect(far, (struct sockaddr *)&server, sizeof server)) {
        close(near);
        close(far);
        return;
    }
    int ends[] = {near, far};
    for (int side = 0; side < 2; side++) {
        setsockopt(ends[side], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fcntl(ends[side], F_SETFL, O_NONBLOCK)) fail("fcntl");
        ways[index + side] = (struct way){.from = ends[side], .to = ends[1 - side]};
    }
}

// Milliseconds are too coarse for what is due.
static struct timespec *patience(struct timespec *left) {
    int64_t first = INT64_MAX;
    for (int index = 0; index < wayCount; index++) {
        struct way *way = &ways[index];
        if (way->first && !way->isFull && way->first->due < first) first = way->first->due;
    }
    if (first == INT64_MAX) return NULL;
    int64_t nanoseconds = first - now();
    if (nanoseconds < 0) nanoseconds = 0;
    left->tv_sec = nanoseconds / 1000000000;
    left->tv_nsec = nanoseconds % 1000000000;
    return left;
}

int main(int count, char **words) {
    if (count != 3) return fprintf(stderr, "relay PORT MICROSECONDS\n"), 2;
    int port = atoi(words[1]), listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    delay = atoll(words[2]) * 1000 / 2;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in mine = loopback(0);
    socklen_t length = sizeof mine;
    if (listener < 0 || bind(listener, (struct sockaddr *)&mine, sizeof mine) || listen(listener, 64)
        || getsockname(listener, (struct sockaddr *)&mine, &length)) fail("listen");
    printf("%d\n", ntohs(mine.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd polled[2 + PAIRS_MAX * 2] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        for (int index = 0; index < wayCount; index++) {
            struct way *way = &ways[index], *back = &ways[index ^ 1];
            struct pollfd *entry = &polled[2 + index];
            // One entry for each socket: what comes of it, and what goes to it from the other.
            entry->events = 0;
            if (!way->isEnded && way->waiting < WAITING_MAX) entry->events |= POLLIN;
            if (back->isFull) entry->events |= POLLOUT;
            entry->fd = entry->events ? way->from : -1;
            entry->revents = 0;
        }
        int used = 2 + wayCount;
        struct timespec left;
        if (ppoll(polled, (nfds_t)used, patience(&left), NULL) < 0 && errno != EINTR) fail("ppoll");
        for (int index = 0; index < wayCount; index++) {
            short found = polled[2 + index].revents;
            if (found & (POLLIN | POLLHUP | POLLERR) && !ways[index].isEnded) take(&ways[index]);
        }
        for (int index = 0; index < wayCount; index++) if (!ways[index].isOver) hand(&ways[index]);
        if (polled[1].revents) connectPair(listener, port);
        if (polled[0].revents) {
            char line[64];
            ssize_t bytes = read(0, line, sizeof line);
            if (bytes <= 0) return 0;
            printf("%llu\n", taken);
            fflush(stdout);
            taken = 0;
        }
    }
}
