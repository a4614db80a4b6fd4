import Glibc
import MediaModel
import MediasyncTesting

@testable import Imaging

/// Unnamed files around one request, and what became of them.
final class Workbench {
    let place: TemporaryDirectory
    private var descriptors: [Int32] = []

    init() throws {
        place = try TemporaryDirectory()
    }

    deinit {
        descriptors.forEach { close($0) }
    }

    private func file(_ content: [UInt8] = []) throws -> Int32 {
        var template = Array((String(decoding: place.path.bytes, as: UTF8.self) + "/file-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw TestFault("cannot make a file") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        descriptors.append(descriptor)
        guard content.isEmpty || pwrite(descriptor, content, content.count, 0) == content.count else {
            throw TestFault("cannot write a file")
        }
        return descriptor
    }

    func request(
        _ bytes: [UInt8],
        _ role: MediaRole,
        fileExtension: String? = nil,
        rules: ProcessingRules = .current
    ) throws -> ProcessingRequest {
        ProcessingRequest(
            role: role,
            rules: rules,
            input: try file(bytes),
            inputBytes: Int64(bytes.count),
            fileExtension: fileExtension,
            outputs: try (0..<ProcessingRequest.outputMax).map { _ in try file() }
        )
    }

    /// The bytes of a variant.
    static func content(_ variant: ProcessedVariant, of request: ProcessingRequest) -> [UInt8] {
        switch variant.source {
        case .input(let count): Array(content(of: request.input).prefix(Int(count)))
        case .output(let index): content(of: request.outputs[index])
        }
    }

    static func content(of descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            if count <= 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

/// A request that went well.
struct Processed {
    let workbench: Workbench
    let request: ProcessingRequest
    let media: ProcessedMedia

    init(
        _ bytes: [UInt8],
        _ role: MediaRole = .attachment,
        fileExtension: String? = nil,
        rules: ProcessingRules = .current,
        by processor: MediaProcessor = MediaProcessor(programs: nil)
    ) throws {
        workbench = try Workbench()
        request = try workbench.request(bytes, role, fileExtension: fileExtension, rules: rules)
        media = try processor.process(request)
    }

    init(
        _ path: BytePath,
        _ role: MediaRole = .attachment,
        fileExtension: String? = nil,
        rules: ProcessingRules = .current,
        by processor: MediaProcessor = MediaProcessor(programs: nil)
    ) throws {
        try self.init(try Disk.read(path), role, fileExtension: fileExtension, rules: rules, by: processor)
    }

    func variant(_ style: String) throws -> ProcessedVariant {
        guard let variant = media.variants.first(where: { $0.style == style }) else { throw TestFault("no \(style)") }
        return variant
    }

    func content(_ style: String) throws -> [UInt8] { Workbench.content(try variant(style), of: request) }

    /// Written out under its own name, for other programs.
    func file(_ style: String) throws -> BytePath {
        let path = workbench.place.path / "\(style).\(try variant(style).fileExtension)"
        try Disk.write(path, try content(style))
        return path
    }
}

/// What other programs say of a file.
enum Inspector {
    /// Width and height.
    static func size(_ path: BytePath) throws -> PixelSize {
        let header = try Program("/usr/bin/vipsheader").check(["-a"], path)
        let fields = header.lines.reduce(into: [String: Int]()) { fields, line in
            let parts = line.split(separator: ": ")
            if parts.count == 2 { fields[String(parts[0])] = Int(parts[1]) }
        }
        return PixelSize(width: fields["width"] ?? 0, height: fields["height"] ?? 0)
    }

    static func fields(_ path: BytePath) throws -> [String] {
        try Program("/usr/bin/vipsheader").check(["-a"], path).lines.map { String($0.prefix { $0 != ":" }) }
    }

    /// How alike two pictures of the same size are, in decibels.
    static func similarity(_ one: BytePath, _ two: BytePath) throws -> Double {
        let result = try Program("/usr/bin/ffmpeg").check([
            "-nostdin", "-hide_banner", "-i", Samples.text(one), "-i", Samples.text(two), "-lavfi",
            "[0:v]format=gbrp[a];[1:v]format=gbrp[b];[a][b]psnr", "-f", "null", "-",
        ])
        let words = result.errorText.split { $0.isWhitespace }
        guard let word = words.last(where: { $0.hasPrefix("average:") }) else {
            throw TestFault("no similarity in: \(result.errorText)")
        }
        let value = word.dropFirst("average:".count)
        return value == "inf" ? .infinity : Double(value) ?? 0
    }

    static func stream(_ path: BytePath, _ entries: String) throws -> [String] {
        let result = try Program("/usr/bin/ffprobe").check(
            ["-v", "error", "-show_entries", entries, "-of", "default=noprint_wrappers=1:nokey=1"],
            path
        )
        return result.lines
    }
}
