// OpenSSL's EVP: digests for Checksums, signatures for ActivityPub; nobody else.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

// A key that asks for a password has none to be given: without this, OpenSSL would ask at the terminal.
static inline int mds_no_password(char *buffer, int size, int writing, void *data) {
    (void)buffer; (void)size; (void)writing; (void)data;
    return -1;
}
static inline EVP_PKEY *mds_read_private_key(const void *pem, int size) {
    BIO *memory = BIO_new_mem_buf(pem, size);
    if (!memory) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, mds_no_password, NULL);
    BIO_free(memory);
    return key;
}
