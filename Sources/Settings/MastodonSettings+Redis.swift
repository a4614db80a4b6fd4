extension MastodonSettings {
    /// Where Redis is, without its password: `REDIS_URL`, or host, port and database with Mastodon's defaults. Nil where
    /// nobody's settings were found.
    package var redis: Value? {
        if let url = filled("REDIS_URL") {
            return Value(text: SettingMask.shown("REDIS_URL", url.text), origin: url.origin)
        }
        let names = ["REDIS_HOST", "REDIS_PORT", "REDIS_DB"]
        let set = names.map { filled($0) }
        let origin = set.compactMap { $0 }.first?.origin
        guard origin != nil || envFile != nil else { return nil }
        let parts = zip(set, ["localhost", "6379", "0"]).map { $0?.text ?? $1 }
        return Value(text: "\(parts[0]):\(parts[1])/\(parts[2])", origin: origin ?? .standard)
    }
}
