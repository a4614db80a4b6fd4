#include <dlfcn.h>
#include <string.h>
#include "CLoader.h"

const char *mds_load(const char *library, const struct mds_symbol *symbols, size_t count) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return library;
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(handle, symbols[i].name);
        if (!symbol) return symbols[i].name;
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return NULL;
}
