internal import Storage

/// Decodes pictures in this process: what a child does with one request, and tests do without a child.
struct LocalImages: ImageWork {
    func run(_ task: ImageTask, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        let bytes = try MediaBytes(descriptor: request.input, count: request.inputBytes)
        let format = try request.identify(Array(bytes.buffer.prefix(FormatSniffer.prefixBytes)))
        guard format.kind == .image else { throw ProcessingFault(.typeNotAllowed, "this is no picture") }
        let source = try SourceImage.input(bytes, format)
        try Self.checkPixels(source, request.rules)
        switch task {
        case .process: return try process(source, request)
        case .still: return try still(source, request)
        case .describe: return try describe(source)
        case .check:
            try source.ensureDecodable()
            return media(source.format, [])
        #if DEBUG
            default: return media(source.format, [])
        #endif
        }
    }

    /// Before anything is decoded: a picture of 50,000 x 50,000 pixels takes a few bytes, and gigabytes to decode.
    private static func checkPixels(_ source: SourceImage, _ rules: ProcessingRules) throws(ProcessingFault) {
        let most = source.format == .gif ? rules.gifPixels : rules.imagePixels
        if source.header.decodedPixels > most {
            throw ProcessingFault(
                .tooManyPixels,
                "\(source.header.decodedPixels) pixels are more than the \(most) that are accepted"
            )
        }
    }

    private func process(_ source: SourceImage, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia
    {
        switch request.role {
        case .attachment: try attachment(source, request)
        case .thumbnail: try thumbnail(source, request)
        case .avatar: try profile(source, request, fit: request.rules.avatar)
        case .header: try profile(source, request, fit: request.rules.header)
        case .emoji: try emoji(source, request)
        case .card: try card(source, request)
        }
    }

    private func attachment(
        _ source: SourceImage,
        _ request: ProcessingRequest
    ) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        let rules = request.rules
        let target = source.format.isHEIF ? .jpeg : source.format
        // A GIF without animation is kept as it is, twice: Mastodon gives the copy another name.
        let isGIF = source.format == .gif
        let original = isGIF ? source : try source.fitted(to: rules.original, as: target, rules: rules)
        let small = isGIF ? source : try original.fitted(to: rules.small, as: target, rules: rules)
        let preview = try small.preview()
        try source.ensureDecodable()
        let name = storedExtension(source, request)
        try writer.add("original", original, fileExtension: name)
        try writer.add("small", small, fileExtension: isGIF ? "png" : name)
        return media(
            target,
            writer.variants,
            name,
            meta: MediaMeta(original: .image(original.size), small: small.size),
            blurhash: try preview.blurhash()
        )
    }

    private func thumbnail(
        _ source: SourceImage,
        _ request: ProcessingRequest
    ) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        let target = source.format.isHEIF ? .jpeg : source.format
        // An animated one that is too large was made smaller before it came here.
        let fit = source.format == .gif ? nil : request.rules.thumbnail
        let original = try source.fitted(to: fit, as: target, rules: request.rules)
        let preview = try original.preview()
        try source.ensureDecodable()
        let name = storedExtension(source, request)
        try writer.add("original", original, fileExtension: name)
        return media(
            target,
            writer.variants,
            name,
            meta: MediaMeta(small: original.size, colors: ColorExtractor.colors(of: preview)),
            blurhash: try preview.blurhash()
        )
    }

    private func profile(
        _ source: SourceImage,
        _ request: ProcessingRequest,
        fit: ProcessingRules.Fit
    ) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        let isGIF = source.format == .gif
        let original =
            isGIF ? source : try source.fitted(to: fit, as: source.format, rules: request.rules)
        let still = isGIF ? try source.still(for: request.role, rules: request.rules) : nil
        try source.ensureDecodable()
        let name = storedExtension(source, request)
        try writer.add("original", original, fileExtension: name)
        if let still { try writer.add("static", still, fileExtension: "png") }
        return media(source.format, writer.variants, name)
    }

    private func emoji(_ source: SourceImage, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        // Made anew also from a PNG: it loses its metadata and its animation.
        let still = try source.still(for: .emoji, rules: request.rules)
        try source.ensureDecodable()
        let name = storedExtension(source, request)
        try writer.add("original", source, fileExtension: name)
        try writer.add("static", still, fileExtension: "png")
        return media(source.format, writer.variants, name)
    }

    private func card(_ source: SourceImage, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        let isGIF = source.format == .gif
        let original = try source.fitted(
            to: request.rules.card,
            as: isGIF ? .jpeg : source.format,
            rules: request.rules,
            quality: isGIF ? 90 : nil,
            progressive: isGIF
        )
        let preview = try original.preview()
        try source.ensureDecodable()
        let name = isGIF ? "jpg" : storedExtension(source, request)
        try writer.add("original", original, fileExtension: name)
        return media(original.format, writer.variants, name, blurhash: try preview.blurhash())
    }

    /// The first frame of an animation that another program made.
    private func still(_ source: SourceImage, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        var writer = request.writer
        let still = try source.still(for: request.role, rules: request.rules)
        try writer.add("static", still, fileExtension: "png")
        return media(.png, writer.variants, "png")
    }

    private func describe(_ source: SourceImage) throws(ProcessingFault) -> ProcessedMedia {
        let preview = try source.preview()
        try source.ensureDecodable()
        var writer = VariantWriter(outputs: [], byteMax: .max)
        try writer.add("original", source, fileExtension: source.format.extensions[0])
        return media(
            source.format,
            writer.variants,
            source.format.extensions[0],
            meta: MediaMeta(original: .image(source.size), colors: ColorExtractor.colors(of: preview)),
            blurhash: try preview.blurhash()
        )
    }

    private func storedExtension(_ source: SourceImage, _ request: ProcessingRequest) -> String {
        source.format.isHEIF ? "jpeg" : source.format.storedExtension(hint: request.fileExtension)
    }

    private func media(
        _ format: MediaFormat,
        _ variants: [ProcessedVariant],
        _ fileExtension: String = "",
        meta: MediaMeta = MediaMeta(),
        blurhash: String? = nil
    ) -> ProcessedMedia {
        ProcessedMedia(
            contentType: format.rawValue,
            fileExtension: fileExtension,
            attachmentType: .image,
            variants: variants,
            meta: meta,
            blurhash: blurhash
        )
    }
}

extension ProcessingRequest {
    /// The type, where it is one that this role takes and the file is not too large for it.
    func identify(_ prefix: [UInt8]) throws(ProcessingFault) -> MediaFormat {
        switch FormatSniffer.identify(prefix) {
        case .media(let format):
            guard role.accepts(format, rules) else {
                throw ProcessingFault(.typeNotAllowed, "\(format.rawValue) is not accepted here")
            }
            let most = rules.bytes(role, format.kind)
            guard inputBytes < most else { throw .tooLarge(inputBytes, most) }
            return format
        case .other(let name): throw ProcessingFault(.typeNotAllowed, "\(name) is not accepted")
        case .unknown:
            if let fileExtension, MediaFormat.isKnown(fileExtension: fileExtension) {
                throw ProcessingFault(.spoofed, "the content is not what the file's extension says")
            }
            throw ProcessingFault(.unknownType, "the content is of no known type")
        }
    }

    var writer: VariantWriter { VariantWriter(outputs: outputs, byteMax: rules.bytes(role, .image)) }
}

extension ProcessingFault {
    static func tooLarge(_ bytes: Int64, _ most: Int64) -> ProcessingFault {
        ProcessingFault(.tooLarge, "\(bytes) bytes are more than the \(most) that are accepted")
    }
}
