// How fast librsync makes a signature and finds a delta of files that are in memory: librsync-rate OLD NEW BLOCK
// Prints seconds of both as JSON, with the length of both. Its results go to memory as well.
#define _GNU_SOURCE
#include <librsync.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static FILE *in_memory(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(1);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size);
    if (!bytes || fread(bytes, 1, size, file) != size) exit(1);
    fclose(file);
    return fmemopen(bytes, size, "rb");
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    FILE *old = in_memory(arguments[1]), *new = in_memory(arguments[2]);
    char *signature_bytes = NULL, *delta_bytes = NULL;
    size_t signature_size = 0, delta_size = 0;
    FILE *signature = open_memstream(&signature_bytes, &signature_size);
    double begin = seconds();
    if (rs_sig_file(old, signature, (size_t)atoi(arguments[3]), 0, RS_RK_BLAKE2_SIG_MAGIC, NULL) != RS_DONE) return 1;
    double signed_at = seconds();
    fclose(signature);
    FILE *stored = fmemopen(signature_bytes, signature_size, "rb");
    rs_signature_t *sums = NULL;
    double loading = seconds();
    if (rs_loadsig_file(stored, &sums, NULL) != RS_DONE || rs_build_hash_table(sums) != RS_DONE) return 1;
    FILE *delta = open_memstream(&delta_bytes, &delta_size);
    if (rs_delta_file(sums, new, delta, NULL) != RS_DONE) return 1;
    double found = seconds();
    fclose(delta);
    printf("{\"signature\": %f, \"delta\": %f, \"signature_bytes\": %zu, \"delta_bytes\": %zu}\n", signed_at - begin,
           found - loading, signature_size, delta_size);
    return 0;
}
