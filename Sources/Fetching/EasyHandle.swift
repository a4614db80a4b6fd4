internal import CCurl

/// Owns one of libcurl's transfer handles: freed exactly once.
struct EasyHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer
    /// Options that this libcurl refused.
    private(set) var refused = 0

    init?() {
        guard let handle = curl_easy_init() else { return nil }
        raw = handle
    }

    deinit { curl_easy_cleanup(raw) }

    mutating func set(_ option: CURLoption, _ value: Int) {
        check(mds_easy_long(raw, option, value))
    }

    /// - Parameter text: copied by libcurl.
    mutating func set(_ option: CURLoption, _ text: String?) {
        if let text {
            check(text.withCString { mds_easy_text(raw, option, $0) })
        } else {
            check(mds_easy_text(raw, option, nil))
        }
    }

    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        check(mds_easy_pointer(raw, option, pointer))
    }

    /// - Parameter list: must live as long as the handle uses it.
    mutating func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) {
        check(mds_easy_list(raw, option, list))
    }

    mutating func check(_ result: CURLcode) {
        if result != CURLE_OK { refused += 1 }
    }
}
