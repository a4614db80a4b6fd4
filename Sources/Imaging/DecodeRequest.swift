/// What a child is asked: a task and everything of a request but the descriptors, which travel beside it.
struct DecodeRequest {
    /// The most bytes of a message in either direction.
    static let messageMax = 16 << 10

    var task: ImageTask
    var request: ProcessingRequest

    /// The message; its descriptors are the input, then the outputs.
    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.number(task.rawValue)
        writer.number(request.role.rawValue)
        writer.number(request.inputBytes)
        writer.optional(request.fileExtension) { $0.text($1) }
        request.rules.write(to: &writer)
        return writer.bytes
    }

    /// - Parameter descriptors: the input, then the outputs.
    init(_ bytes: [UInt8], descriptors: [Int32]) throws(WireReader.Malformed) {
        var reader = WireReader(bytes)
        guard let task = ImageTask(rawValue: UInt8(try reader.integer(in: 0...255))),
            let role = MediaRole(rawValue: UInt8(try reader.integer(in: 0...255))),
            let input = descriptors.first
        else { throw WireReader.Malformed() }
        let inputBytes = try reader.number(in: 0...Int64.max)
        let fileExtension = try reader.optional { reader throws(WireReader.Malformed) in try reader.text() }
        let rules = try ProcessingRules(from: &reader)
        try reader.end()
        self.task = task
        request = ProcessingRequest(
            role: role,
            rules: rules,
            input: input,
            inputBytes: inputBytes,
            fileExtension: fileExtension,
            outputs: Array(descriptors.dropFirst())
        )
    }

    init(task: ImageTask, request: ProcessingRequest) {
        self.task = task
        self.request = request
    }
}

extension ProcessingRules {
    fileprivate func write(to writer: inout WireWriter) {
        for bytes in [imageBytes, movieBytes, profileBytes, emojiBytes, cardBytes] { writer.number(bytes) }
        for count in [imagePixels, gifPixels, moviePixels, movieRate] { writer.number(count) }
        for fit in [original, small, thumbnail, avatar, header, card] { fit.write(to: &writer) }
        writer.size(frame)
        writer.number(quality)
        for flag in [enlargesCrops, acceptsNewFormats, keepsFullRange] { writer.number(flag ? 1 : 0) }
        writer.number(encoding.rawValue)
    }

    fileprivate init(from reader: inout WireReader) throws(WireReader.Malformed) {
        func bytes() throws(WireReader.Malformed) -> Int64 { try reader.number(in: 0...Int64.max) }
        func count() throws(WireReader.Malformed) -> Int { try reader.integer(in: 0...Int.max) }
        func flag() throws(WireReader.Malformed) -> Bool { try reader.integer(in: 0...1) == 1 }
        func fit() throws(WireReader.Malformed) -> Fit { try Fit(from: &reader) }
        self.init(
            imageBytes: try bytes(),
            movieBytes: try bytes(),
            profileBytes: try bytes(),
            emojiBytes: try bytes(),
            cardBytes: try bytes(),
            imagePixels: try count(),
            gifPixels: try count(),
            moviePixels: try count(),
            movieRate: try count(),
            original: try fit(),
            small: try fit(),
            thumbnail: try fit(),
            avatar: try fit(),
            header: try fit(),
            card: try fit(),
            frame: try reader.size(),
            quality: try count(),
            enlargesCrops: try flag(),
            acceptsNewFormats: try flag(),
            keepsFullRange: try flag(),
            encoding: try flag() ? .quality : .bitrate
        )
    }
}

extension ProcessingRules.Fit {
    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .pixels(let count):
            writer.number(0)
            writer.number(count)
        case .box(let size):
            writer.number(1)
            writer.size(size)
        case .crop(let size):
            writer.number(2)
            writer.size(size)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireReader.Malformed) {
        switch try reader.integer(in: 0...2) {
        case 0: self = .pixels(try reader.integer(in: 1...Int.max))
        case 1: self = .box(try reader.size())
        default: self = .crop(try reader.size())
        }
    }
}
