/// What a decoder is asked for: a size, and which part of the picture fills it.
struct PixelTarget {
    var size: PixelSize
    /// Where `size` lies in the picture after it was scaled to `scaled`.
    var scaled: PixelSize

    /// All of the picture.
    init(all size: PixelSize) {
        self.size = size
        scaled = size
    }

    /// The middle of the picture.
    init(middle size: PixelSize, of scaled: PixelSize) {
        self.size = size
        self.scaled = scaled
    }

    /// By how much the picture becomes smaller, at least.
    func reduction(of whole: PixelSize) -> Double {
        min(
            Double(whole.width) / Double(max(1, scaled.width)),
            Double(whole.height) / Double(max(1, scaled.height))
        )
    }
}
