// One row after the other, as tootctl's `media remove` does it, without Ruby: row-by-row ROOT ROWS THREADS
//
// A stand-in, to compare with: each thread takes the next number, reads the row, removes the files with the directories
// that this empties, and changes the row in a transaction of its own, over a connection of its own. The numbers of the
// oldest ROWS attachments are read beforehand. libpq's variables say where the database is.
//
//   cc -O2 -pthread -I"$(pg_config --includedir)" -o row-by-row row-by-row.c -lpq
#define _GNU_SOURCE
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MAX_HERE = 512 };

static char (*ids)[24];
static size_t count;
static int root;
static atomic_size_t next_row;

static void die(const char *what, PGconn *connection) {
    fprintf(stderr, "row-by-row: %s: %s\n", what, connection ? PQerrorMessage(connection) : "");
    exit(1);
}

static PGconn *connect_once(void) {
    PGconn *connection = PQconnectdb("");
    if (PQstatus(connection) != CONNECTION_OK) die("connect", connection);
    return connection;
}

static PGresult *run(PGconn *connection, const char *statement, int values, const char *const *value) {
    PGresult *result = PQexecParams(connection, statement, values, NULL, value, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) die(statement, connection);
    return result;
}

static void remove_file(const char *id, const char *style, const char *name) {
    char path[PATH_MAX_HERE];
    int length = snprintf(path, sizeof path, "cache/media_attachments/files");
    for (const char *at = id; strlen(at) >= 3; at += 3) length += sprintf(path + length, "/%.3s", at);
    snprintf(path + length, sizeof path - (size_t)length, "/%s/%s", style, name);
    if (unlinkat(root, path, 0) < 0) return;
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        *slash = 0;
        if (unlinkat(root, path, AT_REMOVEDIR) < 0) return;
    }
}

static void *work(void *unused) {
    PGconn *connection = connect_once();
    for (;;) {
        size_t number = atomic_fetch_add(&next_row, 1);
        if (number >= count) break;
        const char *id = ids[number];
        PGresult *row = run(connection, "SELECT * FROM media_attachments WHERE id = $1", 1, &id);
        if (PQntuples(row) == 1) {
            const char *name = PQgetvalue(row, 0, PQfnumber(row, "file_file_name"));
            remove_file(id, "original", name);
            remove_file(id, "small", name);
            PQclear(run(connection, "BEGIN", 0, NULL));
            PQclear(run(connection,
                        "UPDATE media_attachments SET file_file_name = NULL, file_content_type = NULL, file_file_size = NULL, "
                        "file_updated_at = NULL, updated_at = now() WHERE id = $1",
                        1, &id));
            PQclear(run(connection, "COMMIT", 0, NULL));
        }
        PQclear(row);
    }
    PQfinish(connection);
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc == 4 ? atoi(argv[3]) : 0;
    if (threads < 1 || threads > 64) {
        fprintf(stderr, "usage: row-by-row ROOT ROWS THREADS\n");
        return 64;
    }
    root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) die("open the root", NULL);
    PGconn *connection = connect_once();
    const char *limit = argv[2];
    PGresult *rows = run(connection, "SELECT id FROM media_attachments WHERE file_file_name <> '' ORDER BY id LIMIT $1", 1, &limit);
    count = (size_t)PQntuples(rows);
    ids = malloc((count + 1) * sizeof *ids);
    for (size_t i = 0; i < count; i++) snprintf(ids[i], sizeof *ids, "%s", PQgetvalue(rows, (int)i, 0));
    PQclear(rows);
    PQfinish(connection);
    pthread_t threads_started[64];
    for (int i = 1; i < threads; i++) pthread_create(&threads_started[i], NULL, work, NULL);
    work(NULL);
    for (int i = 1; i < threads; i++) pthread_join(threads_started[i], NULL);
    return 0;
}
