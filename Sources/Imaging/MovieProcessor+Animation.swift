/// Animated GIFs: posts' become videos, others stay animations.
extension MovieProcessor {
    /// Of an animation that stays one.
    private static let frameMax = 3000

    /// An animated GIF becomes a video without sound.
    func animation(_ request: ProcessingRequest, _ size: PixelSize) throws(ProcessingFault) -> ProcessedMedia {
        let probe = try self.probe(request.input, .gif)
        let encoding = MovieEncoding.video(size, duration: probe.duration, request.rules) + ["-an"]
        return try movie(request, .gif, probe, encoding: encoding)
    }

    /// Makes an animated GIF smaller, with few colours, and where the role has one its static variant.
    func smallerAnimation(
        _ request: ProcessingRequest,
        _ size: PixelSize,
        _ fit: ProcessingRules.Fit
    ) throws(ProcessingFault) -> ProcessedMedia {
        let output = try request.output(0)
        let filter =
            "[0:v]\(Self.scaling(size, fit)),split[a][b];[a]palettegen=max_colors=32[p];[b][p]paletteuse=dither=bayer"
        _ = try ffmpeg(
            .gif,
            input: request.input,
            [],
            [
                "-map_metadata", "-1", "-fpsmax", "60", "-frames:v", "\(Self.frameMax)", "-filter_complex",
                filter,
                "-f", "gif",
            ],
            output: output,
            bytes: request.rules.bytes(request.role, .image)
        )
        var made = request
        made.input = output
        made.inputBytes = try request.checkedSize(of: output)
        made.outputs = Array(request.outputs.dropFirst())
        // By now it fits: what is left is to look at it, and to make its static variant.
        var media = try images.run(.process, made)
        media.variants = media.variants.map { $0.moved(by: 1, inputBecomes: 0) }
        return media
    }

    private static func scaling(_ size: PixelSize, _ fit: ProcessingRules.Fit) -> String {
        switch fit {
        case .pixels(let most): return scaling(size, into: size.box(pixels: most))
        case .box(let box): return scaling(size, into: box)
        case .crop(let box):
            // Scaled to fill, never enlarged, then cut to a square.
            let edge = min(box.width, size.width, size.height)
            return "scale=\(edge):\(edge):force_original_aspect_ratio=increase,crop=\(edge):\(edge)"
        }
    }

    private static func scaling(_ size: PixelSize, into box: PixelSize) -> String {
        let target = size.shrunk(into: box)
        return "scale=\(target.width):\(target.height):force_original_aspect_ratio=decrease"
    }
}

extension ProcessedVariant {
    /// The same where the outputs were some of a longer list, and the input one of them.
    func moved(by offset: Int, inputBecomes index: Int) -> ProcessedVariant {
        var moved = self
        switch source {
        case .input: moved.source = .output(index)
        case .output(let number): moved.source = .output(number + offset)
        }
        return moved
    }
}
