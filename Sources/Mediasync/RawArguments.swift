import MediaModel

/// The command line as the kernel gave it. Swift's own arguments replace bytes that are not UTF-8; a path must not.
enum RawArguments {
    /// The bytes behind a parsed argument that names a path.
    static func path(_ argument: String) -> BytePath {
        guard argument.unicodeScalars.contains("\u{FFFD}") else { return BytePath(argument) }
        for index in 0..<Int(CommandLine.argc) {
            guard let raw = CommandLine.unsafeArgv[index] else { continue }
            var bytes: [UInt8] = []
            var cursor = raw
            while cursor.pointee != 0 {
                bytes.append(UInt8(bitPattern: cursor.pointee))
                cursor += 1
            }
            if String(decoding: bytes, as: UTF8.self) == argument { return BytePath(bytes: bytes) }
            // `--option=value`
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                let value = Array(bytes[(equals + 1)...])
                if String(decoding: value, as: UTF8.self) == argument { return BytePath(bytes: value) }
            }
        }
        return BytePath(argument)
    }

    /// Everything after the program's name, for the record of a run.
    static var all: [String] { Array(CommandLine.arguments.dropFirst()) }
}
