internal import MediaModel

/// What a child answers. It may have been taken over by what it decoded: every value is looked at, and what is written to
/// rows and names can only be what a sound child could have said.
enum DecodeReply {
    static func encode(_ result: Result<ProcessedMedia, ProcessingFault>) -> [UInt8] {
        var writer = WireWriter()
        switch result {
        case .failure(let fault):
            writer.number(1)
            writer.number(fault.kind.rawValue)
            writer.text(fault.message)
        case .success(let media):
            writer.number(0)
            writer.text(media.contentType)
            writer.text(media.fileExtension)
            writer.number(media.variants.count)
            for variant in media.variants { write(variant, to: &writer) }
            var original: PixelSize?
            if case .image(let size) = media.meta.original { original = size }
            writer.optional(original) { $0.size($1) }
            writer.optional(media.meta.small) { $0.size($1) }
            writer.optional(media.meta.colors) { writer, colors in
                for color in [colors.background, colors.foreground, colors.accent] { writer.text(color) }
            }
            writer.optional(media.blurhash) { $0.text($1) }
        }
        return writer.bytes
    }

    private static func write(_ variant: ProcessedVariant, to writer: inout WireWriter) {
        writer.text(variant.style)
        writer.text(variant.fileExtension)
        writer.number(variant.byteCount)
        switch variant.source {
        case .input: writer.number(-1)
        case .output(let index): writer.number(index)
        }
        writer.optional(variant.size) { $0.size($1) }
    }

    /// - Throws: the child's own fault, or `crashed` where its answer makes no sense.
    static func decode(_ bytes: [UInt8], for request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        let result: Result<ProcessedMedia, ProcessingFault>
        do throws(WireReader.Malformed) {
            var reader = WireReader(bytes)
            result =
                try reader.integer(in: 0...1) == 1
                ? .failure(try fault(&reader)) : .success(try media(&reader, request))
            try reader.end()
        } catch {
            throw ProcessingFault(.crashed, "the decoder gave an answer that makes no sense")
        }
        return try result.get()
    }

    private static func fault(_ reader: inout WireReader) throws(WireReader.Malformed) -> ProcessingFault {
        guard let kind = ProcessingFault.Kind(rawValue: UInt8(try reader.integer(in: 0...255))) else {
            throw WireReader.Malformed()
        }
        return ProcessingFault(kind, BytePath.escaped(Array(try reader.text().utf8)))
    }

    private static func media(
        _ reader: inout WireReader,
        _ request: ProcessingRequest
    ) throws(WireReader.Malformed) -> ProcessedMedia {
        guard let format = MediaFormat(rawValue: try reader.text()), format.kind == .image else {
            throw WireReader.Malformed()
        }
        let fileExtension = try name(&reader)
        var variants: [ProcessedVariant] = []
        for _ in 0..<(try reader.integer(in: 0...ProcessingRequest.outputMax)) {
            variants.append(try variant(&reader, request))
        }
        let original = try size(&reader)
        let small = try size(&reader)
        let colors = try reader.optional { reader throws(WireReader.Malformed) in
            MediaMeta.Colors(
                background: try color(&reader),
                foreground: try color(&reader),
                accent: try color(&reader)
            )
        }
        let blurhash = try reader.optional { reader throws(WireReader.Malformed) in try reader.text() }
        if let blurhash, !BlurHash.isValid(blurhash) { throw WireReader.Malformed() }
        return ProcessedMedia(
            contentType: format.rawValue,
            fileExtension: fileExtension,
            attachmentType: .image,
            variants: variants,
            meta: MediaMeta(original: original.map { .image($0) }, small: small, colors: colors),
            blurhash: blurhash
        )
    }

    private static func variant(
        _ reader: inout WireReader,
        _ request: ProcessingRequest
    ) throws(WireReader.Malformed) -> ProcessedVariant {
        let style = try reader.text()
        guard ["original", "small", "static"].contains(style) else { throw WireReader.Malformed() }
        let fileExtension = try name(&reader)
        let count = try reader.number(in: 1...Int64.max)
        let index = try reader.integer(in: -1...(request.outputs.count - 1))
        // An output is as long as it is said to be, and the input is at least as long.
        if index >= 0 {
            guard (try? MediaFile.size(request.outputs[index])) == count else { throw WireReader.Malformed() }
        } else if count > request.inputBytes {
            throw WireReader.Malformed()
        }
        return ProcessedVariant(
            style: style,
            source: index >= 0 ? .output(index) : .input(bytes: count),
            byteCount: count,
            fileExtension: fileExtension,
            size: try size(&reader)
        )
    }

    private static func name(_ reader: inout WireReader) throws(WireReader.Malformed) -> String {
        let name = try reader.text()
        guard name.isEmpty || MediaFormat.isKnown(fileExtension: name) else { throw WireReader.Malformed() }
        return name
    }

    private static func size(_ reader: inout WireReader) throws(WireReader.Malformed) -> PixelSize? {
        try reader.optional { reader throws(WireReader.Malformed) in try reader.size() }
    }

    private static func color(_ reader: inout WireReader) throws(WireReader.Malformed) -> String {
        let color = Array(try reader.text().utf8)
        let digits = Array("0123456789abcdef".utf8)
        guard color.count == 7, color[0] == UInt8(ascii: "#"), color[1...].allSatisfy({ digits.contains($0) }) else {
            throw WireReader.Malformed()
        }
        return String(decoding: color, as: UTF8.self)
    }
}
