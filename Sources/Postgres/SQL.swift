/// Names and values as SQL writes them. Every name and literal that goes into a statement's text goes through here.
package enum SQL {
    /// A quoted name: `"public"`. NUL cannot stand in a name and is left out.
    package static func identifier(_ name: some StringProtocol) -> String {
        quoted(name, mark: "\"")
    }

    /// A name with its schema: `"public"."accounts"`.
    package static func qualified(_ schema: some StringProtocol, _ name: some StringProtocol) -> String {
        identifier(schema) + "." + identifier(name)
    }

    /// A quoted text: `'it''s'`; `E'...'` where it holds backslashes, so that it means the same under every setting of
    /// `standard_conforming_strings`.
    package static func literal(_ text: some StringProtocol) -> String {
        let plain = quoted(text, mark: "'")
        guard text.unicodeScalars.contains("\\") else { return plain }
        return "E" + plain.replacing("\\", with: "\\\\")
    }

    /// Works on scalars: a combining mark behind a quote does not hide it.
    private static func quoted(_ text: some StringProtocol, mark: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(mark)
        for scalar in text.unicodeScalars where scalar != "\0" {
            if scalar == mark { result.append(mark) }
            result.append(scalar)
        }
        result.append(mark)
        return String(result)
    }
}
