internal import MediaModel

/// How the dumped database was made, as `CREATE DATABASE` in the dump says it. It is never run: it tells what to make, and
/// what to warn about.
package struct DatabaseDefinition: Sendable, Hashable {
    package var name: String
    package var encoding: String?
    /// Nil where the dump does not say it, or in words that are no names of locales.
    package var locale: DatabaseLocale?

    private static let options: Set<String> = [
        "encoding", "locale", "lc_collate", "lc_ctype", "locale_provider", "icu_locale", "builtin_locale",
    ]

    /// Nil for every other statement. Servers up to 12 write LC_COLLATE and LC_CTYPE, newer ones LOCALE where both are the
    /// same, LOCALE_PROVIDER since 15.
    init?(_ sql: [UInt8]) {
        guard sql.count > 16, zip(sql, "create".utf8).allSatisfy({ $0 | 0x20 == $1 }),
            var statement = SQLStatement(sql), statement.accept("create", "database"),
            let name = statement.acceptIdentifier()
        else { return nil }
        self.name = name
        var values: [String: String] = [:]
        while !statement.isAtEnd {
            guard let option = statement.accept(anyOf: Self.options) else {
                statement.position += 1
                continue
            }
            _ = statement.accept(symbol: "=")
            values[option] = statement.string(at: statement.position) ?? statement.identifier(at: statement.position)
        }
        encoding = values["encoding"]
        locale = Self.locale(values)
    }

    private static func locale(_ values: [String: String]) -> DatabaseLocale? {
        guard let collate = values["lc_collate"] ?? values["locale"], DatabaseLocale.isPlain(collate),
            let ctype = values["lc_ctype"] ?? values["locale"], DatabaseLocale.isPlain(ctype),
            let provider = DatabaseLocale.Provider(rawValue: (values["locale_provider"] ?? "libc").lowercased())
        else { return nil }
        var locale = DatabaseLocale(provider: provider, collate: collate, ctype: ctype)
        if provider != .libc {
            let name = provider == .icu ? values["icu_locale"] : values["builtin_locale"]
            guard let name = name ?? values["locale"], DatabaseLocale.isPlain(name) else { return nil }
            locale.name = name
        }
        return locale
    }

    /// The first in a text that makes one database.
    static func first(inText text: [UInt8]) -> DatabaseDefinition? {
        let handler = DefinitionHandler()
        let scanner = DumpScanner(handler: handler, bounds: ScanBounds())
        return text.withUnsafeBytes { bytes in
            do throws(SyncError) {
                try scanner.consume(bytes)
                try scanner.finish()
            } catch {
                // What cannot be read tells nothing.
                return nil
            }
            return handler.definition
        }
    }
}

/// Keeps the first definition, and passes over everything else.
private final class DefinitionHandler: ScanHandler {
    var definition: DatabaseDefinition?

    func comment(_ text: [UInt8], line: Int) {}
    func metaCommand(_ text: [UInt8], line: Int, isCut: Bool) {}
    func strayCommand(line: Int) {}
    func rows(_ bytes: UnsafeRawBufferPointer, count: Int, line: Int) {}
    func rowsEnd(line: Int) {}

    func statement(_ text: [UInt8], line: Int) -> Bool {
        if definition == nil { definition = DatabaseDefinition(text) }
        return false
    }
}
