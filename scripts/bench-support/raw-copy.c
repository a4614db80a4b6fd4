// What the bare system calls of a tree copy cost: raw-copy LIST SRC DST THREADS
//
// The whole list is known beforehand and nothing is safe: full paths, no temporary name, no digest, no check, no fsync,
// no owners, no attributes but times. Not a tool; a floor to compare with.
//
// LIST: one entry after the other, each "d DEPTH SECONDS NANOSECONDS PATH" or "f 0 SECONDS NANOSECONDS PATH" and a zero
// byte, directories first by depth (all of one depth are made before the next begins), then files.
//
//   cc -O2 -pthread -o raw-copy raw-copy.c
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, BUFFER = 256 * 1024 };

struct entry { const char *path; struct timespec mtime; int depth; };

static struct entry *entries;
static size_t count, directories, from, to;
static int source, target;
static enum { MAKE, COPY, STAMP } phase;
static atomic_size_t next_entry;

static void die(const char *what, const char *path) {
    fprintf(stderr, "raw-copy: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

static void copy_file(const struct entry *entry, char *buffer) {
    const struct timespec times[2] = {{0, UTIME_OMIT}, entry->mtime};
    int in = openat(source, entry->path, O_RDONLY | O_CLOEXEC);
    if (in < 0) die("open", entry->path);
    int out = openat(target, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out < 0) die("create", entry->path);
    ssize_t got;
    do {
        got = read(in, buffer, BUFFER);
        if (got < 0 || (got > 0 && write(out, buffer, (size_t)got) != got)) die("copy", entry->path);
    } while (got == BUFFER);
    if (futimens(out, times) < 0) die("times of", entry->path);
    close(in);
    close(out);
}

static void *work(void *buffer) {
    for (;;) {
        size_t first = atomic_fetch_add(&next_entry, BATCH), last = first + BATCH < to ? first + BATCH : to;
        if (first >= to) return NULL;
        for (size_t i = first; i < last; i++) {
            const struct timespec times[2] = {{0, UTIME_OMIT}, entries[i].mtime};
            if (phase == MAKE && mkdirat(target, entries[i].path, 0755) < 0) die("mkdir", entries[i].path);
            if (phase == COPY) copy_file(&entries[i], buffer);
            if (phase == STAMP && utimensat(target, entries[i].path, times, 0) < 0) die("times of", entries[i].path);
        }
    }
}

static void run(int threads, char **buffers) {
    pthread_t ids[64];
    atomic_store(&next_entry, from);
    for (int i = 1; i < threads; i++) pthread_create(&ids[i], NULL, work, buffers[i]);
    work(buffers[0]);
    for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
}

static void read_list(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) die("open", path);
    char *text = malloc((size_t)st.st_size + 1);
    for (off_t done = 0; done < st.st_size;) {
        ssize_t got = read(fd, text + done, (size_t)(st.st_size - done));
        if (got <= 0) die("read", path);
        done += got;
    }
    close(fd);
    text[st.st_size] = 0;
    size_t room = 0;
    for (char *at = text; at < text + st.st_size; at += strlen(at) + 1) {
        if (count == room) entries = realloc(entries, (room = room ? room * 2 : 4096) * sizeof *entries);
        struct entry *entry = &entries[count++];
        char kind;
        long long seconds;
        long nanoseconds;
        int skip;
        if (sscanf(at, "%c %d %lld %ld %n", &kind, &entry->depth, &seconds, &nanoseconds, &skip) < 4) die("parse", at);
        entry->mtime = (struct timespec){seconds, nanoseconds};
        entry->path = at + skip;
        if (kind == 'd') directories++;
    }
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: raw-copy LIST SRC DST THREADS\n");
        return 64;
    }
    int threads = atoi(argv[4]);
    if (threads < 1 || threads > 64) threads = 2;
    char *buffers[64];
    for (int i = 0; i < threads; i++) buffers[i] = malloc(BUFFER);
    read_list(argv[1]);
    if (mkdir(argv[3], 0755) < 0) die("mkdir", argv[3]);
    source = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    target = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0 || target < 0) die("open", argv[2]);
    umask(022);
    phase = MAKE;
    for (from = 0; from < directories; from = to) {
        for (to = from; to < directories && entries[to].depth == entries[from].depth; to++) {}
        run(threads, buffers);
    }
    phase = COPY;
    from = directories;
    to = count;
    run(threads, buffers);
    phase = STAMP;
    from = 0;
    to = directories;
    run(threads, buffers);
    return 0;
}
