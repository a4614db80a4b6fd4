/// What a decoder may use. The defaults are far above what any accepted file needs.
package struct ProcessingLimits: Hashable, Sendable {
    /// Address space of a child that decodes pictures. The largest accepted picture takes about a third.
    package var decoderBytes: Int64 = 1 << 30
    /// Address space of ffmpeg, which keeps many frames while it encodes.
    package var programBytes: Int64 = 3 << 30
    /// For one picture, from the request to the answer.
    package var pictureTime: Duration = .seconds(60)
    /// For one run of ffmpeg.
    package var movieTime: Duration = .seconds(900)
    /// Pictures after which a child is replaced, so that what leaks in a library stays small.
    package var picturesPerChild = 1000

    package static let standard = ProcessingLimits()

    package init() {}
}
