/// Constraints as pg_dump writes them, taken apart so that they can be made in parallel. What has any other form is left
/// as it is: it is run whole, which is slower and just as right.
enum ConstraintSQL {
    /// `ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id)` in two: an index, built beside others of the
    /// same table, and the constraint that takes it over in no time.
    struct UniqueParts: Equatable {
        var index: String
        var attach: String
    }

    static func unique(_ statement: String) -> UniqueParts? {
        guard let parts = parts(of: statement) else { return nil }
        for kind in ["PRIMARY KEY", "UNIQUE"] where parts.definition.hasPrefix(kind + " (") {
            let columns = parts.definition.dropFirst(kind.utf8.count + 1)
            // Exactly one list of names: no INCLUDE, no DEFERRABLE, no NULLS NOT DISTINCT.
            guard columns.hasSuffix(")"), columns.dropFirst().dropLast().allSatisfy({ !"()\"".contains($0) }) else {
                return nil
            }
            return UniqueParts(
                index: "CREATE UNIQUE INDEX \(parts.name) ON ONLY \(parts.table) USING btree \(columns)",
                attach: "ALTER TABLE ONLY \(parts.table) ADD CONSTRAINT \(parts.name) \(kind) USING INDEX \(parts.name)"
            )
        }
        return nil
    }

    /// A foreign key in two: the constraint for new rows, made at once, and the check of those that are there, which locks
    /// only its own table and even that for nobody who reads.
    struct ForeignParts: Equatable {
        var add: String
        var validate: String
    }

    static func foreignKey(_ statement: String) -> ForeignParts? {
        guard let parts = parts(of: statement), parts.definition.hasPrefix("FOREIGN KEY ("),
            !parts.definition.hasSuffix(" NOT VALID")
        else { return nil }
        return ForeignParts(
            add: "ALTER TABLE ONLY \(parts.table) ADD CONSTRAINT \(parts.name) \(parts.definition) NOT VALID",
            validate: "ALTER TABLE ONLY \(parts.table) VALIDATE CONSTRAINT \(parts.name)"
        )
    }

    private struct Parts {
        var table: String
        var name: String
        var definition: String
    }

    /// Takes `ALTER TABLE [ONLY] table ADD CONSTRAINT name definition` apart by its words; names may be quoted.
    private static func parts(of statement: String) -> Parts? {
        var words = WordReader(statement)
        guard words.skip("ALTER"), words.skip("TABLE") else { return nil }
        guard words.skip("ONLY") else { return nil }
        guard let table = words.name(), words.skip("ADD"), words.skip("CONSTRAINT"), let name = words.name() else {
            return nil
        }
        // The name of a constraint has no schema; more than one word behind it is the definition.
        let definition = words.rest
        return definition.isEmpty ? nil : Parts(table: table, name: name, definition: definition)
    }
}

/// Reads a statement word by word, blanks and line ends between.
private struct WordReader {
    private var text: Substring.UnicodeScalarView

    init(_ text: String) {
        self.text = text[...].unicodeScalars
    }

    private mutating func skipBlanks() {
        text = text.drop { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" }
    }

    /// Takes a word away where it is next.
    mutating func skip(_ word: String) -> Bool {
        skipBlanks()
        var rest = text
        for scalar in word.unicodeScalars {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
        }
        if let next = rest.first, next != " ", next != "\n" { return false }
        text = rest
        return true
    }

    /// Takes a name with its quotes and its schema away.
    mutating func name() -> String? {
        skipBlanks()
        var result = String.UnicodeScalarView()
        var isQuoted = false
        while let scalar = text.first {
            if scalar == "\"" {
                isQuoted.toggle()
            } else if !isQuoted, scalar == " " || scalar == "\n" || scalar == "\t" {
                break
            } else if !isQuoted, "();,'-/*$".unicodeScalars.contains(scalar) {
                return nil
            }
            result.append(scalar)
            text.removeFirst()
        }
        return result.isEmpty || isQuoted ? nil : String(result)
    }

    /// Everything that is left, without blanks around.
    var rest: String {
        var rest = text.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\n" || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
