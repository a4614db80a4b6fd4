// The least that a comparison of rows and files costs: rows-and-stat ROOT THREADS
//
// One thread reads the number, name, type and size of every attachment with a file, two thousand at a time, the next page
// asked for while one is taken apart; THREADS look at the two files of each by a path made from its number. Nothing is
// checked, counted or told. Not a tool; a floor to compare with. libpq's variables say where the database is.
//
//   cc -O2 -pthread -I"$(pg_config --includedir)" -o rows-and-stat rows-and-stat.c -lpq
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 2000, BATCH = 64, WAITING = 128, PATH_MAX_HERE = 512, ID_MAX = 24, NAME_MAX_HERE = 256 };

struct row {
    char id[ID_MAX], name[NAME_MAX_HERE];
};
struct batch {
    int count;
    struct row rows[BATCH];
};

static struct batch *waiting[WAITING];
static int filled, ended;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int root;

static void die(const char *what, const char *why) {
    fprintf(stderr, "rows-and-stat: %s: %s\n", what, why);
    exit(1);
}

static void offer(struct batch *batch) {
    pthread_mutex_lock(&lock);
    while (filled == WAITING) pthread_cond_wait(&changed, &lock);
    waiting[filled++] = batch;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void look(const struct row *row, const char *style) {
    char path[PATH_MAX_HERE];
    struct stat st;
    char *at = stpcpy(path, "cache/media_attachments/files");
    for (const char *digit = row->id; digit[0] && digit[1] && digit[2]; digit += 3) {
        *at++ = '/';
        memcpy(at, digit, 3);
        at += 3;
    }
    *at++ = '/';
    at = stpcpy(at, style);
    *at++ = '/';
    strcpy(at, row->name);
    if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0) die(path, strerror(errno));
}

static void *work(void *unused) {
    for (;;) {
        pthread_mutex_lock(&lock);
        while (filled == 0 && !ended) pthread_cond_wait(&changed, &lock);
        struct batch *batch = filled > 0 ? waiting[--filled] : NULL;
        if (filled == WAITING - 1) pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        if (!batch) return unused;
        for (int i = 0; i < batch->count; i++) {
            look(&batch->rows[i], "original");
            look(&batch->rows[i], "small");
        }
        free(batch);
    }
}

static void ask(PGconn *connection, const char *after) {
    static const char statement[] =
        "SELECT id, pg_catalog.left(file_file_name, 256), pg_catalog.left(file_content_type, 256), file_file_size "
        "FROM public.media_attachments WHERE id > $1::bigint AND file_file_name <> '' ORDER BY id LIMIT 2000";
    if (!PQsendQueryParams(connection, statement, 1, NULL, &after, NULL, NULL, 0)) die("ask", PQerrorMessage(connection));
}

static void take_apart(const PGresult *page) {
    int rows = PQntuples(page);
    for (int first = 0; first < rows; first += BATCH) {
        struct batch *batch = malloc(sizeof *batch);
        if (!batch) die("malloc", strerror(errno));
        batch->count = rows - first < BATCH ? rows - first : BATCH;
        for (int i = 0; i < batch->count; i++) {
            if (PQgetlength(page, first + i, 0) >= ID_MAX || PQgetlength(page, first + i, 1) >= NAME_MAX_HERE) die("row", "too long");
            strcpy(batch->rows[i].id, PQgetvalue(page, first + i, 0));
            strcpy(batch->rows[i].name, PQgetvalue(page, first + i, 1));
        }
        offer(batch);
    }
}

int main(int argc, char **argv) {
    int threads = argc == 3 ? atoi(argv[2]) : 0;
    if (threads < 1 || threads > 64) {
        fprintf(stderr, "usage: rows-and-stat ROOT THREADS\n");
        return 64;
    }
    root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) die(argv[1], strerror(errno));
    PGconn *connection = PQconnectdb("");
    if (PQstatus(connection) != CONNECTION_OK) die("connect", PQerrorMessage(connection));
    pthread_t ids[64];
    for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
    ask(connection, "0");
    for (int more = 1; more;) {
        PGresult *page = PQgetResult(connection);
        if (PQresultStatus(page) != PGRES_TUPLES_OK) die("read", PQerrorMessage(connection));
        PQclear(PQgetResult(connection));
        more = PQntuples(page) == PAGE;
        if (more) ask(connection, PQgetvalue(page, PAGE - 1, 0));
        take_apart(page);
        PQclear(page);
    }
    pthread_mutex_lock(&lock);
    ended = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    PQfinish(connection);
    return 0;
}
