package import MediaModel

/// Where a value came from, in the words of whoever can change it there.
package enum SettingOrigin: Sendable, Equatable {
    /// `--media-root`.
    case flag(String)
    /// A variable of the process: Mastodon's, `MEDIASYNC_*`, or one of libpq's.
    case environment(String)
    /// A name in Mastodon's env file.
    case file(String, BytePath)
    /// Where it usually is: found there.
    case usualPlace
    /// Made from another setting.
    case derived(String)
    case standard
}

extension SettingOrigin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .flag(let name): name
        case .environment(let name): "$\(name)"
        case .file(let name, let path): "\(name) in \(path)"
        case .usualPlace: "a usual place"
        case .derived(let how): how
        case .standard: "default"
        }
    }
}
