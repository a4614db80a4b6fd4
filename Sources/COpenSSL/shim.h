// OpenSSL's EVP digests; Checksums is its only Swift owner.
#include <openssl/evp.h>
