/// Sound: always MP3 in the end, and the picture that may be embedded in it.
extension MovieProcessor {
    func audio(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) -> ProcessedMedia {
        let source = try probe(request.input, format)
        guard source.audioCodec != nil else { throw ProcessingFault(.undecodable, "the file has no sound") }
        let output = try request.output(0)
        _ = try ffmpeg(
            format,
            input: request.input,
            [],
            ["-vn", "-map_metadata", "-1", "-q:a", "2", "-f", "mp3"],
            output: output,
            bytes: request.rules.movieBytes
        )
        let made = try probe(output, .mp3)
        var media = ProcessedMedia(
            contentType: MediaFormat.mp3.rawValue,
            fileExtension: "mp3",
            attachmentType: .audio,
            variants: [
                ProcessedVariant(
                    style: "original",
                    source: .output(0),
                    byteCount: try request.checkedSize(of: output),
                    fileExtension: "mp3"
                )
            ],
            meta: MediaMeta(original: .audio(duration: made.duration, bitrate: made.bitrate))
        )
        // A picture that cannot be used is no reason to refuse the sound.
        if source.hasPicture, let art = try? picture(request, format) {
            media.meta.small = art.meta.small
            media.meta.colors = art.meta.colors
            media.blurhash = art.blurhash
            media.thumbnail = art
        }
        return media
    }

    /// The embedded picture, by the rules of thumbnails.
    private func picture(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) -> ProcessedMedia
    {
        let output = try request.output(1)
        _ = try ffmpeg(
            format,
            input: request.input,
            [],
            ["-an", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe"],
            output: output,
            bytes: request.rules.imageBytes
        )
        var made = request
        made.role = .thumbnail
        made.input = output
        made.inputBytes = try MediaFile.size(output)
        made.fileExtension = "png"
        made.outputs = Array(request.outputs.dropFirst(2))
        var art = try images.run(.process, made)
        art.variants = art.variants.map { $0.moved(by: 2, inputBecomes: 1) }
        return art
    }
}
