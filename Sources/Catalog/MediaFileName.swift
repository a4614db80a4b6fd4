package import MediaModel

/// A file name as a row has it. Rows are written by programs that strangers talk to: a name that is no plain name never
/// becomes part of a path.
package struct MediaFileName: Sendable, Hashable {
    package let bytes: [UInt8]

    /// Nil where it is no name of a file in its directory: empty, `.` and `..`, with a slash or a NUL, or longer than the
    /// kernel takes.
    package init?(_ bytes: [UInt8]) {
        guard Self.isName(bytes[...]) else { return nil }
        self.bytes = bytes
    }

    static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        guard !bytes.isEmpty, bytes.count <= 255 else { return false }
        if bytes.count <= 2, bytes.allSatisfy({ $0 == dot }) { return false }
        return !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }

    /// The name without its extension: what stands before the last dot. A dot in front begins no extension.
    package var base: ArraySlice<UInt8> { bytes[..<Self.endOfBase(bytes[...])] }

    /// Where a name's base ends.
    static func endOfBase(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > bytes.startIndex else { return bytes.endIndex }
        return dot
    }

    /// What stands behind the last dot; empty where there is none.
    package var fileExtension: ArraySlice<UInt8> {
        let count = base.count
        return count == bytes.count ? [] : bytes[(count + 1)...]
    }

    /// The name of a variant's file: another extension where its format says so.
    package func name(for style: MediaStyle) -> BytePath {
        guard let format = style.format else { return BytePath(bytes: bytes) }
        return BytePath(bytes: Array(base) + [UInt8(ascii: ".")] + Array(format.utf8))
    }

    /// Whether Mastodon counts a file of this name as one of the row's: the stored name, or its base with the extension of
    /// one of the row's variants. In which variant's folder the file lies is not asked.
    package func counts(_ other: [UInt8], among styles: [MediaStyle]) -> Bool {
        if other == bytes { return true }
        return styles.contains { $0.format != nil && name(for: $0).bytes == other }
    }
}
