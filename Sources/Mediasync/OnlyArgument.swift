import ArgumentParser
import Catalog
import MediaModel

/// `--only`: a half of the media (`local`, `remote`), kinds (`attachments,avatars`), or both.
struct OnlyArgument: ExpressibleByArgument {
    private(set) var half: MediaLayout.Half?
    /// Empty where none are named: all.
    private(set) var kinds: Set<MediaKind> = []

    private static let kindNames: [String: [MediaKind]] = [
        "attachments": [.attachment, .thumbnail], "avatars": [.avatar], "headers": [.header], "cards": [.card],
        "emoji": [.emoji], "uploads": [.upload], "backups": [.backup],
    ]

    init?(argument: String) {
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            if let named = MediaLayout.Half(rawValue: String(word)) {
                guard half == nil || half == named else { return nil }
                half = named
            } else if let named = Self.kindNames[String(word)] {
                kinds.formUnion(named)
            } else {
                return nil
            }
        }
    }
}
