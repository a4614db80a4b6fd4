/// What fetched bytes are for: Mastodon treats each differently.
package enum MediaRole: UInt8, Hashable, Sendable, CaseIterable {
    /// A post's image, video or sound.
    case attachment
    /// The picture that an origin gives for an attachment.
    case thumbnail
    case avatar
    case header
    case emoji
    /// The picture of a link's preview.
    case card
}
