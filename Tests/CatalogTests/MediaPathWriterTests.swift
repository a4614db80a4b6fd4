import MediaModel
import MediasyncTesting
import Testing

@testable import Catalog

@Suite struct MediaPathWriterTests {
    private static let names = [
        "a.jpeg", "a", "a.b.png", ".hidden", ".hidden.png", "a.", "..", ".", "", "a/b", "a\u{0}b", "ä ö.gif", "...",
        String(repeating: "x", count: 255), String(repeating: "x", count: 256),
    ]
    private static let types = [
        nil, "", "image/jpeg", "image/gif", "video/mp4", "audio/ogg", "a type of more than fifteen bytes",
        "another one of more than fifteen",
    ]
    private static let numbers: [Int64] = [
        1, 999_999_999, 1_000_000_000, 12_345_678_901, 999_999_999_999, 1_234_567_890_123,
        109_876_543_210_987_654, .max, 0, -1, .min,
    ]

    /// A page with rows of all kinds of values, in an order that a seed says.
    private static func page(_ random: inout SeededGenerator, rows: Int) -> MediaPage {
        var builder = MediaPage.Builder(capacity: 1)
        for _ in 0..<rows {
            let name = Array((names.randomElement(using: &random) ?? "").utf8)
            let type = (types.randomElement(using: &random) ?? nil).map { Array($0.utf8) }
            let kind = MediaKind.allCases.randomElement(using: &random) ?? .attachment
            let id = numbers.randomElement(using: &random) ?? 1
            let isRemote = Bool.random(using: &random)
            let version = Int64.random(in: -1...2, using: &random)
            name.withUnsafeBufferPointer { name in
                (type ?? []).withUnsafeBufferPointer { bytes in
                    builder.append(
                        kind,
                        rowID: id,
                        isRemote: isRemote,
                        name: name,
                        type: type == nil ? nil : bytes,
                        byteCount: 1,
                        storageVersion: version
                    )
                }
            }
        }
        return MediaPage(builder)
    }

    @Test("whatever a row says, its paths are those of its attachment by itself, from page to page", arguments: 0..<8)
    func samePaths(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var writer = MediaPathWriter()
        var written = 0
        for _ in 0..<4 {
            let page = Self.page(&random, rows: 500)
            #expect(page.count == 500)
            for index in 0..<page.count {
                let media = page[index]
                writer.begin(page, index)
                #expect(writer.styles == media.styles)
                for (number, style) in media.styles.enumerated() {
                    var bytes: [UInt8] = [1]
                    let isWritten = writer.append(number, of: page, to: &bytes)
                    #expect((isWritten ? BytePath(bytes: Array(bytes.dropFirst())) : nil) == media.path(of: style))
                    if isWritten { written += 1 } else { #expect(bytes == [1]) }
                }
            }
        }
        // Half of the names and numbers can be no path.
        #expect(written > 500)
    }

    @Test("texts come back as they went in, however many types there are")
    func texts() {
        var builder = MediaPage.Builder(capacity: 0)
        let types = (0..<40).map { "type/\($0 % 20)" }
        for (index, type) in types.enumerated() {
            let (name, type) = (Array("name\(index)".utf8), Array(type.utf8))
            name.withUnsafeBufferPointer { name in
                type.withUnsafeBufferPointer { type in
                    builder.append(
                        .avatar,
                        rowID: Int64(index),
                        isRemote: true,
                        name: name,
                        type: type,
                        byteCount: nil,
                        storageVersion: 1
                    )
                }
            }
        }
        let page = MediaPage(builder)
        for index in 0..<page.count {
            #expect(page[index].contentType == types[index])
            #expect(page[index].fileName == Array("name\(index)".utf8))
        }
    }
}
