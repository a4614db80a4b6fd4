// The least that a comparison of rows and files costs: rows-and-stat ROOT THREADS
//
// One thread reads the number, name, type and size of every attachment with a file, eight thousand at a time, copied out in
// binary, the next page asked for while one is handed out; THREADS look at the two files of each by a path made from its
// number. Nothing is checked, counted or told. Not a tool; a floor to compare with. libpq's variables say where the database is.
//
//   cc -O2 -pthread -I"$(pg_config --includedir)" -o rows-and-stat rows-and-stat.c -lpq
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 8000, BATCH = 64, WAITING = 128, PATH_MAX_HERE = 512, ID_MAX = 24, NAME_MAX_HERE = 256 };

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

static void ask(PGconn *connection, long long after) {
    char statement[512];
    snprintf(statement, sizeof statement,
             "COPY (SELECT id, file_file_name::pg_catalog.varchar(256), file_content_type::pg_catalog.varchar(256), file_file_size "
             "FROM public.media_attachments WHERE id > '%lld'::pg_catalog.int8 AND file_file_name <> '' ORDER BY id LIMIT %d) "
             "TO STDOUT (FORMAT binary)", after, PAGE);
    if (!PQsendQuery(connection, statement)) die("ask", PQerrorMessage(connection));
}

static int number(const char *at) {
    unsigned bytes;
    memcpy(&bytes, at, sizeof bytes);
    return (int)be32toh(bytes);
}

// Takes a page from the server into batches. Returns its last number, and how many rows it had.
static long long take(PGconn *connection, struct batch **batches, int *rows) {
    enum { HEAD = 19 };
    PGresult *begun = PQgetResult(connection);
    if (PQresultStatus(begun) != PGRES_COPY_OUT) die("read", PQerrorMessage(connection));
    PQclear(begun);
    long long last = 0;
    *rows = 0;
    int isFirst = 1, count;
    for (char *piece; (count = PQgetCopyData(connection, &piece, 0)) > 0; PQfreemem(piece)) {
        const char *at = piece + (isFirst ? HEAD : 0);
        isFirst = 0;
        if (at[0] == (char)0xFF) continue;
        unsigned long long id;
        memcpy(&id, at + 6, sizeof id);
        last = (long long)be64toh(id);
        int length = number(at + 14);
        if (length < 0 || length >= NAME_MAX_HERE || *rows == PAGE) die("row", "too long");
        struct batch **batch = &batches[*rows / BATCH];
        if (*rows % BATCH == 0) {
            *batch = malloc(sizeof **batch);
            if (!*batch) die("malloc", strerror(errno));
            (*batch)->count = 0;
        }
        struct row *row = &(*batch)->rows[(*batch)->count++];
        snprintf(row->id, sizeof row->id, "%lld", last);
        memcpy(row->name, at + 18, (size_t)length);
        row->name[length] = 0;
        ++*rows;
    }
    PGresult *end = PQgetResult(connection);
    if (count != -1 || PQresultStatus(end) != PGRES_COMMAND_OK) die("read", PQerrorMessage(connection));
    PQclear(end);
    PQclear(PQgetResult(connection));
    return last;
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
    struct batch *batches[PAGE / BATCH];
    ask(connection, 0);
    for (int rows = PAGE; rows == PAGE;) {
        long long last = take(connection, batches, &rows);
        if (rows == PAGE) ask(connection, last);
        for (int i = 0; i * BATCH < rows; i++) offer(batches[i]);
    }
    pthread_mutex_lock(&lock);
    ended = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    PQfinish(connection);
    return 0;
}
