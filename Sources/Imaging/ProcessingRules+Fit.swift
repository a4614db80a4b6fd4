extension ProcessingRules.Fit {
    /// Whether a picture of this size has to be made anew.
    func isExceeded(by size: PixelSize) -> Bool {
        switch self {
        case .pixels(let most): size.pixels > most
        case .box(let box): size.width > box.width || size.height > box.height
        // One side that is right is enough: Mastodon leaves such pictures alone.
        case .crop(let box): size.width != box.width && size.height != box.height
        }
    }
}

extension ProcessingRules {
    /// For looking at files that are stored already, whatever limits they were stored under.
    static var unlimited: ProcessingRules {
        var rules = current
        rules.imageBytes = 1 << 30
        rules.movieBytes = 1 << 40
        rules.gifPixels = rules.imagePixels
        return rules
    }
}

extension ProcessingRequest {
    /// How large an animation may stay where its role keeps animations.
    var animationFit: ProcessingRules.Fit? {
        switch role {
        case .avatar: rules.avatar
        case .header: rules.header
        case .thumbnail: rules.thumbnail
        case .attachment, .emoji, .card: nil
        }
    }
}
