/// Makes of fetched bytes what Mastodon would store. Decides what kind of media they are, and who does the work: pictures go
/// to a decoder, video, sound and animations to ffmpeg.
package struct MediaProcessor: Sendable {
    private let images: any ImageWork
    private let movies: MovieProcessor?

    /// Decodes pictures in this process, which damage may end: for a child, and for tests.
    /// - Parameter programs: nil where there is no ffmpeg; then only pictures are processed.
    package init(programs: MoviePrograms?) {
        self.init(images: LocalImages(), programs: programs, stop: StopFlag())
    }

    init(images: any ImageWork, programs: MoviePrograms?, stop: StopFlag) {
        self.images = images
        movies = programs.map { MovieProcessor(runner: MovieRunner(programs: $0, stop: stop), images: images) }
    }

    /// Whether ffmpeg is there.
    var processesMovies: Bool { movies != nil }

    /// Blocks until all variants are written. What a failed call has written to the outputs is void.
    package func process(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        let format = try request.identify(try MediaFile.prefix(request.input))
        switch format.kind {
        case .image where format != .gif: return try images.run(.process, request)
        case .image: return try processGIF(request)
        case .video, .audio: return try movieProcessor().process(request, format)
        }
    }

    /// Whether a file can be decoded from its beginning to its end, whatever it is for; why not is thrown.
    package func check(_ descriptor: Int32, bytes: Int64) throws(ProcessingFault) {
        let request = ProcessingRequest(
            role: .attachment,
            rules: .unlimited,
            input: descriptor,
            inputBytes: bytes,
            fileExtension: nil,
            outputs: []
        )
        let format = try request.identify(try MediaFile.prefix(descriptor))
        if format.kind == .image {
            _ = try images.run(.check, request)
        } else {
            try movieProcessor().check(request, format)
        }
    }

    /// Animations become videos, or smaller animations; still pictures are decoded as others are.
    private func processGIF(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        let header = try ImageHeader.read(MediaBytes(descriptor: request.input, count: request.inputBytes), .gif)
        if header.decodedPixels > request.rules.gifPixels {
            throw ProcessingFault(
                .tooManyPixels,
                "\(header.decodedPixels) pixels are more than the \(request.rules.gifPixels) that are accepted for a GIF"
            )
        }
        if request.role == .attachment, header.frames > 1 {
            return try movieProcessor().animation(request, header.size)
        }
        if let fit = request.animationFit, fit.isExceeded(by: header.size) {
            return try movieProcessor().smallerAnimation(request, header.size, fit)
        }
        return try images.run(.process, request)
    }

    private func movieProcessor() throws(ProcessingFault) -> MovieProcessor {
        guard let movies else { throw ProcessingFault(.unavailable, "ffmpeg and ffprobe are not installed") }
        return movies
    }
}
