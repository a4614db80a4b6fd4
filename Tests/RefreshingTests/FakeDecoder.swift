import Glibc
import MediaModel
import Refreshing

@testable import Imaging

/// Takes texts for media: `jpeg ...`, `mp4 ...`, `mp3+picture ...` are good, anything else is not.
struct FakeDecoder: MediaProcessing {
    static let hash = String(repeating: "U", count: 36)

    func process(_ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia {
        var bytes = [UInt8](repeating: 0, count: Int(request.inputBytes))
        let count = bytes.withUnsafeMutableBytes { pread(request.input, $0.baseAddress, $0.count, 0) }
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        switch text.prefix(while: { $0 != " " }) {
        case "jpeg": return image(request)
        case "mp3+picture": return sound(request)
        default: throw ProcessingFault(.unknownType, "it is no media")
        }
    }

    func shutDown() {}

    private func image(_ request: ProcessingRequest) -> ProcessedMedia {
        let size = PixelSize(width: 640, height: 480)
        var variants = [variant("original", .input(bytes: request.inputBytes), request.inputBytes, "jpeg", size)]
        if request.role == .attachment {
            variants.append(write("small", request, 0, "jpeg", PixelSize(width: 320, height: 240)))
        }
        if request.role == .emoji { variants.append(write("static", request, 0, "png", size)) }
        var meta = MediaMeta()
        if request.role == .attachment {
            meta = MediaMeta(original: .image(size), small: PixelSize(width: 320, height: 240))
        }
        if request.role == .thumbnail {
            meta = MediaMeta(
                small: PixelSize(width: 64, height: 48),
                colors: .init(background: "#000001", foreground: "#ffffff", accent: "#ff0000")
            )
        }
        let hasHash = request.role == .attachment || request.role == .thumbnail
        return ProcessedMedia(
            contentType: "image/jpeg",
            fileExtension: "jpeg",
            attachmentType: .image,
            variants: variants,
            meta: meta,
            blurhash: hasHash ? Self.hash : nil
        )
    }

    private func sound(_ request: ProcessingRequest) -> ProcessedMedia {
        var media = ProcessedMedia(
            contentType: "audio/mpeg",
            fileExtension: "mp3",
            attachmentType: .audio,
            variants: [write("original", request, 0, "mp3", nil)],
            meta: MediaMeta(original: .audio(duration: 1.5, bitrate: 128_000))
        )
        let size = PixelSize(width: 64, height: 64)
        media.thumbnail = ProcessedMedia(
            contentType: "image/png",
            fileExtension: "png",
            attachmentType: .image,
            variants: [write("original", request, 1, "png", size)],
            meta: MediaMeta(small: size),
            blurhash: Self.hash
        )
        return media
    }

    private func variant(
        _ style: String,
        _ source: ProcessedVariant.Source,
        _ bytes: Int64,
        _ end: String,
        _ size: PixelSize?
    ) -> ProcessedVariant {
        ProcessedVariant(style: style, source: source, byteCount: bytes, fileExtension: end, size: size)
    }

    private func write(
        _ style: String,
        _ request: ProcessingRequest,
        _ output: Int,
        _ end: String,
        _ size: PixelSize?
    ) -> ProcessedVariant {
        let text = Array("made \(style)".utf8)
        let count = text.withUnsafeBytes { pwrite(request.outputs[output], $0.baseAddress, $0.count, 0) }
        precondition(count == text.count)
        return variant(style, .output(output), Int64(count), end, size)
    }
}
