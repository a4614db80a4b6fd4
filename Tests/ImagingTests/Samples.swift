import MediaModel
import MediasyncTesting

/// Media files made by other programs, once for all tests. Named by what they are.
enum Samples {
    static let areTools = Requirement.has("ffmpeg", "ffprobe", "vips", "vipsheader")
    static let toolsReason = "needs ffmpeg and libvips-tools"

    private static let place = Result { try TemporaryDirectory() }
    private static let made = Made()

    /// Makes each sample once, whichever tests ask for it.
    private actor Made {
        private var paths: [String: Result<BytePath, any Error>] = [:]

        func path(_ name: String, _ make: @Sendable (BytePath) throws -> Void) throws -> BytePath {
            if let known = paths[name] { return try known.get() }
            let result = Result {
                let path = try Samples.place.get().path / name
                try make(path)
                return path
            }
            paths[name] = result
            return try result.get()
        }
    }

    static func path(_ name: String, _ make: @Sendable (BytePath) throws -> Void) async throws -> BytePath {
        try await made.path(name, make)
    }

    static func text(_ path: BytePath) -> String { String(decoding: path.bytes, as: UTF8.self) }

    @discardableResult
    static func ffmpeg(_ arguments: [String]) throws -> Program.Result {
        try Program("/usr/bin/ffmpeg").check(["-nostdin", "-v", "error", "-y"] + arguments)
    }

    @discardableResult
    static func vips(_ arguments: [String]) throws -> Program.Result {
        try Program("/usr/bin/vips").check(arguments)
    }

    /// A detailed picture without loss.
    static func picture(_ width: Int, _ height: Int) async throws -> BytePath {
        try await path("picture-\(width)x\(height).png") { path in
            // Made at a quarter of the size where it would take seconds.
            let step = width * height > 3_500_000 ? 4 : 1
            let frame =
                "mandelbrot=size=\(width / step)x\(height / step):maxiter=150,scale=\(width):\(height),gblur=sigma=1.2"
            try ffmpeg(["-f", "lavfi", "-i", frame, "-frames:v", "1", "-pix_fmt", "rgb24", text(path)])
        }
    }

    /// The same picture in another format, by libvips: `NAME.jpg[Q=90,interlace]`.
    static func converted(_ width: Int, _ height: Int, _ name: String, _ options: String = "") async throws -> BytePath
    {
        let picture = try await picture(width, height)
        let key = "\(width)x\(height)\(options.filter { $0.isLetter || $0.isNumber })-\(name)"
        return try await path(key) { path in try vips(["copy", text(picture), text(path) + options]) }
    }

    static func jpeg(_ width: Int, _ height: Int, _ options: String = "[Q=90]") async throws -> BytePath {
        try await converted(width, height, "picture.jpg", options)
    }

    /// Two seconds of moving picture, with sound or without.
    static func movie(
        _ name: String,
        size: String = "320x240",
        _ arguments: [String],
        sound: Bool = true
    ) async throws
        -> BytePath
    {
        try await path(name) { path in
            let tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
            try ffmpeg(
                ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=30:duration=2"] + (sound ? tone : []) + arguments
                    + [text(path)]
            )
        }
    }

    static func h264(_ name: String, size: String = "320x240", sound: Bool = true) async throws -> BytePath {
        let audio = sound ? ["-c:a", "aac"] : []
        return try await movie(
            name,
            size: size,
            ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"] + audio,
            sound: sound
        )
    }

    static func animation(_ size: String = "320x240") async throws -> BytePath {
        try await path("animation-\(size).gif") { path in
            try ffmpeg(["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=10:duration=1", text(path)])
        }
    }
}

/// Puts a JPEG segment behind the start of the picture.
func inserting(_ marker: UInt8, _ content: [UInt8], into jpeg: [UInt8]) -> [UInt8] {
    let length = content.count + 2
    return Array(jpeg[..<2]) + [0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)] + content + Array(jpeg[2...])
}

/// An EXIF segment that says how to turn a picture.
func orientation(_ value: UInt8) -> [UInt8] {
    Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
}

/// A PNG that is nothing but a header: as large as it says only once it is decoded.
func hollowPNG(_ width: Int, _ height: Int) -> [UInt8] {
    let header = big32(width) + big32(height) + [8, 2, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + pngChunk("IHDR", header)
        + pngChunk("IDAT", [0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]) + pngChunk("IEND", [])
}

/// A chunk with its length and checksum.
func pngChunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    big32(content.count) + Array(name.utf8) + content + big32(Int(crc(Array(name.utf8) + content)))
}

private func big32(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 0xFF) } }

/// A GIF whose frames are named and hardly there.
/// - Parameter frames: left, top, width, height.
func hollowGIF(_ screen: (Int, Int), _ frames: [(Int, Int, Int, Int)]) -> [UInt8] {
    func little(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
    let head = Array("GIF89a".utf8) + little(screen.0) + little(screen.1) + [0x80, 0, 0, 0, 0, 0, 255, 255, 255]
    let blocks = frames.flatMap { frame -> [UInt8] in
        let place = little(frame.0) + little(frame.1) + little(frame.2) + little(frame.3)
        return [0x2C] + place + [0, 2, 2, 0x44, 0x01, 0]
    }
    return head + blocks + [0x3B]
}

private func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF as UInt32) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
}
