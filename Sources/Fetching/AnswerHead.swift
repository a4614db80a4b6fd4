/// The head of an answer, line by line as it comes in: what matters of it, and whether it is what it should be.
struct AnswerHead {
    /// All lines of one answer, those of interim answers (1xx) too.
    static let longestBytes = 64 * 1024
    /// A value that is kept.
    private static let longestValue = 4096

    private(set) var status = 0
    /// 10 for HTTP/1.0, 11, 20.
    private(set) var version = 0
    private(set) var contentLength: Int64?
    private(set) var isChunked = false
    private(set) var location: [UInt8]?
    private(set) var contentType: [UInt8]?
    private(set) var dispositionName: [UInt8]?
    private(set) var retryAfter: [UInt8]?
    private(set) var rateLimitReset: [UInt8]?
    private(set) var date: [UInt8]?
    /// The server says that it closes the connection afterwards.
    private(set) var closes = false
    /// The empty line has come, of an answer that is none of the interim ones.
    private(set) var isComplete = false
    private(set) var byteCount = 0

    /// Whether the status says that the answer is the file.
    var isSuccess: Bool { (200...299).contains(status) }
    var isRedirect: Bool { [300, 301, 302, 303, 307, 308].contains(status) }

    /// Takes one line with its end.
    mutating func take(_ line: UnsafeRawBufferPointer) throws(FetchFault) {
        byteCount += line.count
        guard byteCount <= Self.longestBytes else {
            throw Self.bad("its headers have more than \(Self.longestBytes) bytes")
        }
        // Behind a chunked body there may be more; nothing of it counts.
        if isComplete { return }
        if Self.begins(line, "http/") {
            try takeStatus(line)
            return
        }
        let text = Self.trimmed(line)
        if text.isEmpty {
            if status >= 200 { try finish() }
            return
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
        try takeField(UnsafeRawBufferPointer(rebasing: text[..<colon]), Self.trimmed(text[(colon + 1)...]))
    }

    private mutating func takeStatus(_ line: UnsafeRawBufferPointer) throws(FetchFault) {
        let bytes = byteCount
        self = AnswerHead()
        byteCount = bytes
        let words = Self.trimmed(line).split(separator: 0x20, maxSplits: 2)
        guard words.count >= 2, words[1].count == 3, let number = Int(String(decoding: words[1], as: UTF8.self)),
            (100...999).contains(number)
        else { throw Self.bad("its status line is none") }
        status = number
        switch String(decoding: words[0], as: UTF8.self).uppercased() {
        case "HTTP/1.0": version = 10
        case "HTTP/1.1": version = 11
        default: version = 20
        }
    }

    private mutating func takeField(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer
    ) throws(FetchFault) {
        // By length first: most headers are none of these.
        switch name.count {
        case 4 where Self.begins(name, "date"): date = Self.kept(value)
        case 8 where Self.begins(name, "location"): location = try takeLocation(value)
        case 10 where Self.begins(name, "connection"):
            let words = String(decoding: value.prefix(Self.longestValue), as: UTF8.self).lowercased().split(
                separator: ","
            )
            if words.contains(where: { $0.contains("close") }) { closes = true }
        case 11 where Self.begins(name, "retry-after"): retryAfter = Self.kept(value)
        case 12 where Self.begins(name, "content-type"): contentType = Self.kept(value)
        case 14 where Self.begins(name, "content-length"): try takeLength(value)
        case 16 where Self.begins(name, "content-encoding"):
            if !value.isEmpty, !(value.count == 8 && Self.begins(value, "identity")) {
                throw Self.bad("its content is encoded, which nobody asked for")
            }
        case 17 where Self.begins(name, "transfer-encoding"):
            guard value.count == 7, Self.begins(value, "chunked") else {
                throw Self.bad("its transfer encoding is not just chunked")
            }
            isChunked = true
        case 17 where Self.begins(name, "x-ratelimit-reset"): rateLimitReset = Self.kept(value)
        case 19 where Self.begins(name, "content-disposition"): dispositionName = Self.quotedName(value)
        default: break
        }
    }

    private func takeLocation(_ value: UnsafeRawBufferPointer) throws(FetchFault) -> [UInt8] {
        let bytes = Array(value.prefix(FetchURL.longest + 1))
        if let location, location != bytes { throw Self.bad("it redirects to two places") }
        return bytes
    }

    private mutating func takeLength(_ value: UnsafeRawBufferPointer) throws(FetchFault) {
        guard !value.isEmpty, value.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Self.bad("its length is no number")
        }
        // What does not fit is too large in any case.
        let length = value.count > 19 ? Int64.max : Int64(String(decoding: value, as: UTF8.self)) ?? .max
        if let contentLength, contentLength != length { throw Self.bad("it names two lengths") }
        contentLength = length
    }

    private mutating func finish() throws(FetchFault) {
        isComplete = true
        if isChunked && contentLength != nil { throw Self.bad("it names a length and is chunked") }
    }

    /// `attachment; filename="a.png"`: what stands in the quotes.
    private static func quotedName(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
        let text = Array(value.prefix(longestValue))
        let key = Array("filename=\"".utf8)
        var index = 0
        while index + key.count <= text.count {
            if zip(text[index...], key).allSatisfy({ lower($0) == $1 }) {
                let name = text[(index + key.count)...].prefix { $0 != UInt8(ascii: "\"") }
                return Array(name.prefix(255))
            }
            index += 1
        }
        return nil
    }

    // MARK: Bytes

    private static func kept(_ value: UnsafeRawBufferPointer) -> [UInt8] { Array(value.prefix(longestValue)) }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func begins(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where lower(bytes[index]) != text.utf8Start[index] { return false }
        return true
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        trimmed(bytes[...])
    }

    /// Without blanks and line ends around it.
    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer {
        var slice = bytes
        while let first = slice.first, isBlank(first) { slice = slice.dropFirst() }
        while let last = slice.last, isBlank(last) { slice = slice.dropLast() }
        return UnsafeRawBufferPointer(rebasing: slice)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }

    private static func bad(_ why: String) -> FetchFault { FetchFault(.protocolError, "the answer is refused: \(why)") }
}
