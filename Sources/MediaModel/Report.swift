/// What a command found out, as fields for programs and as lines for people: printed on standard output.
package struct Report: Sendable {
    /// The object's type in JSON: `inspection`.
    package var name: String
    package var fields: [Field]
    /// Each one line; names in it are escaped.
    package var lines: [String]

    package init(name: String, fields: [Field], lines: [String]) {
        self.name = name
        self.fields = fields
        self.lines = lines
    }

    package struct Field: Sendable {
        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    package indirect enum Value: Sendable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([Value])
        case object([Field])
        case null

        /// Text, or nothing where there is none.
        package init(_ text: String?) { self = text.map(Value.text) ?? .null }
        package init(_ number: Int?) { self = number.map { .number(Int64($0)) } ?? .null }
    }
}
