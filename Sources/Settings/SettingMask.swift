/// Shows settings without the secrets in them.
package enum SettingMask {
    private static let secretWords = ["PASS", "SECRET", "KEY", "TOKEN", "SALT"]
    /// Names with such a word that hold no secret.
    private static let plain: Set<String> = ["S3_KEY_PREFIX"]

    /// The settings that are used, apart from the single parts of the database's address.
    package static let listed = [
        "DATABASE_URL", "PREPARED_STATEMENTS", "PGSERVICE", "PGPASSFILE", "LOCAL_DOMAIN", "WEB_DOMAIN",
        "PAPERCLIP_ROOT_PATH", "S3_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED", "REDIS_URL", "REDIS_HOST", "REDIS_PORT",
        "REDIS_DB", "REDIS_PASSWORD", "FFMPEG_BINARY", "FFPROBE_BINARY",
    ]

    /// What stands in a secret's place.
    package static let mark = "..."

    package static func isSecret(_ name: String) -> Bool {
        !plain.contains(name) && secretWords.contains { name.uppercased().contains($0) }
    }

    /// The value as a person may see it: secrets as a mark, URLs without the password and parameters in them.
    package static func shown(_ name: String, _ text: String) -> String {
        if isSecret(name) { return text.isEmpty ? "" : mark }
        return text.contains("://") ? withoutSecrets(url: text) : text
    }

    private static func withoutSecrets(url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        var rest = url[scheme.upperBound...]
        // A password may hold any character, `/` and `?` among them: all up to the last `@` is taken for a login.
        var login = ""
        if let at = rest.lastIndex(of: "@") {
            login = rest[..<at].contains(":") ? "\(rest[..<at].prefix { $0 != ":" }):\(mark)@" : "\(mark)@"
            rest = rest[rest.index(after: at)...]
        }
        let query = rest.contains("?") ? "?\(mark)" : ""
        return url[..<scheme.upperBound] + login + rest.prefix { $0 != "?" } + query
    }
}
