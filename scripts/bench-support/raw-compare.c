// What the bare system calls of comparing two equal trees cost: raw-compare SRC DST THREADS
//
// Directories are opened by name in their held parents, both listed; files are opened, read and digested on both sides.
// No error is mended, nothing is reported, links and attributes are looked at by fstat alone. Not a tool; a floor to
// compare with.
//
//   cc -O2 -pthread -o raw-compare raw-compare.c -lxxhash
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

enum { LISTING = 32 * 1024, BUFFER = 128 * 1024, SPLIT_DEPTH = 4 };

struct pair { int source, target; };
struct record { unsigned long long inode; long long offset; unsigned short length; unsigned char type; char name[]; };

// Directories that wait for a thread, descriptors held; those below SPLIT_DEPTH are walked by the thread that meets them.
static struct pair *pairs;
static size_t pair_count, pair_room;
static int working;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void die(const char *what, const char *name) {
    fprintf(stderr, "raw-compare: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static int open_at(int directory, const char *name, int flags) {
    int fd = openat(directory, name, flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) die("open", name);
    return fd;
}

static void look(int fd, const char *name) {
    struct stat st;
    if (fstat(fd, &st) < 0) die("look at", name);
}

static XXH128_hash_t digest(int directory, const char *name, char *buffer) {
    XXH3_state_t *state = NULL;
    XXH128_hash_t result = {0, 0};
    int fd = open_at(directory, name, 0);
    look(fd, name);
    for (;;) {
        ssize_t got = read(fd, buffer, BUFFER);
        if (got < 0) die("read", name);
        if (!state && got < BUFFER) {
            result = XXH3_128bits(buffer, (size_t)got);
            break;
        }
        if (!state) XXH3_128bits_reset(state = XXH3_createState());
        XXH3_128bits_update(state, buffer, (size_t)got);
        if (got == 0) {
            result = XXH3_128bits_digest(state);
            XXH3_freeState(state);
            break;
        }
    }
    close(fd);
    return result;
}

static void give(struct pair pair) {
    pthread_mutex_lock(&lock);
    if (pair_count == pair_room) pairs = realloc(pairs, (pair_room = pair_room ? pair_room * 2 : 1024) * sizeof *pairs);
    pairs[pair_count++] = pair;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void walk(struct pair pair, int depth, char *buffer) {
    char *listing = malloc(LISTING);
    look(pair.source, "directory");
    look(pair.target, "directory");
    while (syscall(SYS_getdents64, pair.target, listing, LISTING) > 0) {}
    for (long got; (got = syscall(SYS_getdents64, pair.source, listing, LISTING)) > 0;) {
        for (long at = 0; at < got;) {
            struct record *record = (struct record *)(listing + at);
            at += record->length;
            if (!strcmp(record->name, ".") || !strcmp(record->name, "..")) continue;
            if (record->type == DT_DIR) {
                struct pair child = {open_at(pair.source, record->name, O_DIRECTORY), open_at(pair.target, record->name, O_DIRECTORY)};
                if (depth < SPLIT_DEPTH) give(child); else walk(child, depth + 1, buffer);
            } else if (record->type == DT_REG) {
                XXH128_hash_t one = digest(pair.source, record->name, buffer), other = digest(pair.target, record->name, buffer);
                if (!XXH128_isEqual(one, other)) fprintf(stderr, "raw-compare: %s differs\n", record->name);
            }
        }
    }
    free(listing);
    close(pair.source);
    close(pair.target);
}

static void *work(void *unused) {
    char *buffer = malloc(BUFFER);
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!pair_count && working) pthread_cond_wait(&changed, &lock);
        if (!pair_count) break;
        struct pair pair = pairs[--pair_count];
        working++;
        pthread_mutex_unlock(&lock);
        // The depth of a pair is not kept: what was given away splits two levels more at most.
        walk(pair, SPLIT_DEPTH - 2, buffer);
        pthread_mutex_lock(&lock);
        working--;
        if (!working) pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    free(buffer);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: raw-compare SRC DST THREADS\n");
        return 64;
    }
    int threads = atoi(argv[3]);
    if (threads < 1 || threads > 64) threads = 2;
    give((struct pair){open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)});
    if (pairs[0].source < 0 || pairs[0].target < 0) die("open", argv[1]);
    pthread_t ids[64];
    for (int i = 1; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
    work(NULL);
    for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
    return 0;
}
