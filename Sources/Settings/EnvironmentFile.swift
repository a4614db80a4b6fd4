/// The settings file of Mastodon, `.env.production`: lines of `KEY=value` in the notation of dotenv, read as data. Nothing
/// in it is ever run: a command substitution stays the text that it is.
package struct EnvironmentFile: Sendable, Equatable {
    /// Lines that are no assignment, by number: told to the user, harmless otherwise.
    package private(set) var strangeLines: [Int] = []
    private var values: [String: String] = [:]

    /// Reads the text of a file. A later line of the same name wins.
    package init(_ text: [UInt8]) {
        var scanner = EnvironmentScanner(bytes: text)
        while let line = scanner.next() {
            switch line {
            case .assignment(let name, let parts): values[name] = expand(parts)
            case .strange(let number): strangeLines.append(number)
            }
        }
    }

    package subscript(_ name: String) -> String? { values[name] }

    package var names: [String] { values.keys.sorted() }

    /// Puts earlier values of the same file in the place of `$NAME` and `${NAME}`.
    private func expand(_ parts: [EnvironmentScanner.Part]) -> String {
        parts.reduce(into: "") { result, part in
            switch part {
            case .text(let text): result += text
            case .variable(let name): result += values[name] ?? ""
            }
        }
    }
}
