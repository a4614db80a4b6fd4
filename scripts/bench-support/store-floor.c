// What the bare system calls of a store cost: store-floor make|stat|unlink|prune LIST ROOT THREADS
//
// LIST: paths below ROOT, one a line. `make` writes a small file under each, with its directories; `stat` looks at each;
// `unlink` removes each and leaves the directories; `prune` removes the directories as well that this empties. Nothing is
// checked, looked up, or flushed. Not a tool; a floor to compare with.
//
//   cc -O2 -pthread -o store-floor store-floor.c
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 32, FILE_BYTES = 100, PATH_MAX_HERE = 512 };

static char **paths;
static size_t count;
static int root;
static char mode;
static atomic_size_t next_path;

static void die(const char *what, const char *path) {
    fprintf(stderr, "store-floor: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

// The directories of a path that the one before did not have.
static void make_directories(const char *path, char *last) {
    char name[PATH_MAX_HERE];
    snprintf(name, sizeof name, "%s", path);
    size_t same = 0;
    while (path[same] && path[same] == last[same]) same++;
    for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        if ((size_t)(slash - name) < same) continue;
        *slash = 0;
        if (mkdirat(root, name, 0755) < 0 && errno != EEXIST) die("mkdir", name);
        *slash = '/';
    }
    snprintf(last, PATH_MAX_HERE, "%s", path);
}

static void make(const char *path, char *last) {
    static const char content[FILE_BYTES] = "content";
    make_directories(path, last);
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, content, sizeof content) != (ssize_t)sizeof content) die("write", path);
    close(fd);
}

static void prune(const char *path) {
    char name[PATH_MAX_HERE];
    snprintf(name, sizeof name, "%s", path);
    for (char *slash = strrchr(name, '/'); slash; slash = strrchr(name, '/')) {
        *slash = 0;
        if (unlinkat(root, name, AT_REMOVEDIR) < 0) return;
    }
}

static void *work(void *unused) {
    char last[PATH_MAX_HERE] = "";
    struct stat st;
    for (;;) {
        size_t first = atomic_fetch_add(&next_path, BATCH), end = first + BATCH < count ? first + BATCH : count;
        if (first >= count) return unused;
        for (size_t i = first; i < end; i++) {
            if (mode == 'm') make(paths[i], last);
            if (mode == 's' && fstatat(root, paths[i], &st, AT_SYMLINK_NOFOLLOW) < 0) die("stat", paths[i]);
            if (mode == 'u' || mode == 'p') {
                if (unlinkat(root, paths[i], 0) < 0) die("unlink", paths[i]);
            }
            if (mode == 'p') prune(paths[i]);
        }
    }
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
    text[st.st_size] = 0;
    size_t room = 0;
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
        if (count == room) paths = realloc(paths, (room = room ? room * 2 : 4096) * sizeof *paths);
        paths[count++] = at;
    }
}

int main(int argc, char **argv) {
    int threads = argc == 5 ? atoi(argv[4]) : 0;
    if (threads < 1 || threads > 64 || !strchr("msup", argv[1][0])) {
        fprintf(stderr, "usage: store-floor make|stat|unlink|prune LIST ROOT THREADS\n");
        return 64;
    }
    mode = argv[1][0];
    read_list(argv[2]);
    if (mode == 'm' && mkdir(argv[3], 0755) < 0 && errno != EEXIST) die("mkdir", argv[3]);
    root = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) die("open", argv[3]);
    umask(022);
    pthread_t ids[64];
    for (int i = 1; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
    work(NULL);
    for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
    return 0;
}
