/// The entries of a file for `--exclude-from`, `--include-from` and `--files-from`, cut as rsync cuts them: empty ones and
/// comments (`#`, `;` as the first byte) are left out; a NUL inside a line ends the entry, as in any C string.
struct ListFile: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private let separator: FilterRules.Separator

    init(_ contents: [UInt8], separator: FilterRules.Separator) {
        rest = contents[...]
        self.separator = separator
    }

    mutating func next() -> ArraySlice<UInt8>? {
        while !rest.isEmpty {
            let end = rest.firstIndex(where: endsEntry) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[end...].dropFirst()
            let entry = line.firstIndex(of: 0).map { line[..<$0] } ?? line
            guard let first = entry.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";") else { continue }
            return entry
        }
        return nil
    }

    private func endsEntry(_ byte: UInt8) -> Bool {
        switch separator {
        case .line: byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        case .null: byte == 0
        }
    }
}
