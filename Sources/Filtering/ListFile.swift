/// The files of `--exclude-from`, `--include-from` and `--files-from`, cut as rsync cuts them.
enum ListFile {
    /// The entries: empty ones and comments (`#`, `;` as the first byte) are left out; a NUL inside a line ends the
    /// entry, as in any C string.
    static func entries(_ contents: [UInt8], separator: FilterRules.Separator) -> [ArraySlice<UInt8>] {
        contents
            .split {
                switch separator {
                case .line: $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
                case .null: $0 == 0
                }
            }
            .map { $0.prefix { $0 != 0 } }
            .filter { !$0.isEmpty && $0.first != UInt8(ascii: "#") && $0.first != UInt8(ascii: ";") }
    }
}
