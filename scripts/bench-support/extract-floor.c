// What the bare system calls of an extraction cost, without an archive: extract-floor LIST DST THREADS
//
// LIST has a line for every file, its size, a space and its path, in an archive's order. Directories are made when a file
// needs them, in held parents; all files of a directory are one thread's. Every file has its size in arbitrary bytes and
// a time set; nothing is flushed, no error is mended. Not a tool; a floor to compare with.
//
//   cc -O2 -pthread -o extract-floor extract-floor.c
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 64, NAME = 256, LINE = 8192, PIECE = 1 << 20 };

struct file { char *path; size_t size; unsigned thread; };

// The directories of the file at hand, held open from the root downwards.
struct way { int depth, descriptors[DEPTH]; char names[DEPTH][NAME]; };

static struct file *files;
static size_t count, room;
static unsigned threads;
static int root;
static char bytes[PIECE];

static void die(const char *what, const char *name) {
    fprintf(stderr, "extract-floor: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static int make_directory(int parent, const char *name) {
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) die("mkdir", name);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) die("open", name);
    return fd;
}

static void leave(struct way *way, int depth) {
    while (way->depth > depth) close(way->descriptors[--way->depth]);
}

// Goes to the directory of a path; what the last path has in common with it stays open. Returns the last name.
static const char *walk(struct way *way, const char *path) {
    int depth = 0;
    for (const char *end; (end = strchr(path, '/')); path = end + 1, depth++) {
        char name[NAME] = "";
        if (depth == DEPTH || end - path >= NAME) { errno = ENAMETOOLONG; die("walk", path); }
        memcpy(name, path, (size_t)(end - path));
        if (depth < way->depth && strcmp(way->names[depth], name) == 0) continue;
        leave(way, depth);
        way->descriptors[depth] = make_directory(depth ? way->descriptors[depth - 1] : root, name);
        memcpy(way->names[depth], name, NAME);
        way->depth++;
    }
    leave(way, depth);
    return path;
}

static void make_file(int parent, const char *name, size_t size) {
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) die("create", name);
    while (size > 0) {
        size_t piece = size < PIECE ? size : PIECE;
        if (write(fd, bytes, piece) != (ssize_t)piece) die("write", name);
        size -= piece;
    }
    struct timespec times[2] = {{1700000000, 0}, {1700000000, 0}};
    if (futimens(fd, times) < 0) die("futimens", name);
    close(fd);
}

static void *work(void *number) {
    struct way way = {0};
    for (size_t index = 0; index < count; index++) {
        if (files[index].thread != (unsigned)(uintptr_t)number) continue;
        const char *name = walk(&way, files[index].path);
        make_file(way.depth ? way.descriptors[way.depth - 1] : root, name, files[index].size);
    }
    leave(&way, 0);
    return NULL;
}

static void read_list(const char *path) {
    FILE *list = fopen(path, "r");
    if (!list) die("open", path);
    char line[LINE];
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        char *space = strchr(line, ' ');
        if (!space) { errno = EINVAL; die("read", path); }
        if (count == room) {
            room = room ? 2 * room : 1024;
            if (!(files = realloc(files, room * sizeof *files))) die("realloc", path);
        }
        uint64_t hash = 0xcbf29ce484222325u;
        for (char *at = space + 1, *end = strrchr(line, '/'); end && at < end; at++)
            hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
        files[count++] = (struct file){strdup(space + 1), strtoull(line, NULL, 10), (unsigned)(hash % threads)};
    }
    fclose(list);
}

int main(int argc, char **argv) {
    if (argc != 4 || (threads = (unsigned)atoi(argv[3])) == 0 || threads > 64) {
        fprintf(stderr, "usage: extract-floor LIST DST THREADS\n");
        return 64;
    }
    read_list(argv[1]);
    for (size_t index = 0; index < PIECE; index++) bytes[index] = (char)(index * 2654435761u >> 13);
    if (mkdir(argv[2], 0755) < 0) die("mkdir", argv[2]);
    if ((root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) die("open", argv[2]);
    pthread_t all[64];
    for (uintptr_t number = 0; number < threads; number++)
        if ((errno = pthread_create(&all[number], NULL, work, (void *)number))) die("start", "a thread");
    for (unsigned number = 0; number < threads; number++) pthread_join(all[number], NULL);
    return 0;
}
