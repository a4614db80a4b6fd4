internal import MediaModel

/// A relation as a dump names it. Names are compared byte by byte, as PostgreSQL does, not as Swift compares strings.
package struct TableName: Sendable {
    package let schema: String
    package let name: String

    package init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    /// A table of Mastodon's: they are all in `public`.
    package init(_ name: String) {
        self.init(schema: "public", name: name)
    }

    /// Quoted for SQL: `"public"."statuses"`.
    package var sql: String { "\(Self.quoted(schema)).\(Self.quoted(name))" }

    private static func quoted(_ name: String) -> String {
        var result = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}

extension TableName: Hashable, Comparable {
    package static func == (left: TableName, right: TableName) -> Bool {
        left.schema.utf8.elementsEqual(right.schema.utf8) && left.name.utf8.elementsEqual(right.name.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        Self.combine(schema, into: &hasher)
        Self.combine(name, into: &hasher)
    }

    private static func combine(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No text has a byte of this value: where one ends and the next begins is hashed as well.
        hasher.combine(0xFF as UInt8)
    }

    package static func < (left: TableName, right: TableName) -> Bool {
        if !left.schema.utf8.elementsEqual(right.schema.utf8) {
            return left.schema.utf8.lexicographicallyPrecedes(right.schema.utf8)
        }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

extension TableName: CustomStringConvertible {
    /// For people: escaped, and without the schema where it is `public`.
    package var description: String {
        let text = schema == "public" ? name : "\(schema).\(name)"
        return BytePath.escaped(Array(text.utf8))
    }
}
