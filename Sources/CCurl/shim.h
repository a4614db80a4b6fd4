// libcurl; Fetching is its only Swift owner. Swift does not see variadic functions: one typed function for each kind of value.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <locale.h>
#include <netinet/in.h>
#include <string.h>

static inline CURLcode mds_easy_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode mds_easy_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode mds_easy_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode mds_easy_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
// Body and header callbacks have the same form.
static inline CURLcode mds_easy_data(CURL *easy, CURLoption option, size_t (*call)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(easy, option, call);
}
static inline CURLcode mds_easy_open_socket(CURL *easy, curl_opensocket_callback call) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, call);
}
static inline CURLcode mds_easy_close_socket(CURL *easy, curl_closesocket_callback call) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, call);
}
static inline CURLcode mds_easy_before_request(CURL *easy, curl_prereq_callback call) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, call);
}

static inline CURLcode mds_info_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode mds_info_socket(CURL *easy, CURLINFO info, curl_socket_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode mds_info_pointer(CURL *easy, CURLINFO info, char **value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLMcode mds_multi_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLcode mds_curl_start(void) {
    return curl_global_init(CURL_GLOBAL_ALL);
}

// The result of a message of the kind CURLMSG_DONE: the member of a union.
static inline CURLcode mds_message_result(const CURLMsg *message) {
    return message->data.result;
}

// The bytes of the address that a socket is about to connect to: their number is 4 or 16, or 0 for any other family.
static inline int mds_address_bytes(const struct curl_sockaddr *address, unsigned char *out) {
    if (address->family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)&address->addr)->sin_addr, 4);
        return 4;
    }
    if (address->family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)&address->addr)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

// The host in ASCII. libidn2 reads the name in the character set of the locale: for this call, on this thread, that is UTF-8.
static inline CURLUcode mds_url_ascii_host(CURLU *url, char **host) {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    CURLUcode result = curl_url_get(url, CURLUPART_HOST, host, CURLU_PUNYCODE);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return result;
}
