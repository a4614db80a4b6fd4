internal import Foundation
internal import Testing

/// Compares text with a file under `Golden/`. `MEDIASYNC_REWRITE_GOLDEN=1 swift test` writes the files anew; look at the
/// difference before you commit it.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    if ProcessInfo.processInfo.environment["MEDIASYNC_REWRITE_GOLDEN"] == "1" {
        try Data(text.utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "differs from Golden/\(name)", sourceLocation: sourceLocation)
}
