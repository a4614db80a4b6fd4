import MediaModel
import Testing

@testable import Postgres

/// The whole table: what each SQLSTATE means for a run.
@Suite struct DatabaseFaultTests {
    @Test(
        "a SQLSTATE is told apart by its own row, else by its class",
        arguments: [
            ("53100", .noSpace), ("53200", .noMemory), ("53300", .tooManyConnections), ("53400", .noMemory),
            ("42501", .forbidden), ("55006", .inUse), ("55P03", .inUse), ("57014", .cancelled), ("57P01", .terminated),
            ("57P02", .terminated), ("57P03", .unreachable), ("57P04", .terminated), ("57P05", .terminated),
            ("25P03", .terminated), ("40P01", .conflict), ("40001", .conflict), ("3D000", .missing),
            ("3F000", .missing),
            ("42P01", .missing), ("42704", .missing), ("42883", .missing), ("42703", .missing), ("42P04", .exists),
            ("42P06", .exists), ("42P07", .exists), ("42710", .exists), ("42723", .exists), ("54000", .badData),
            ("08006", .lost), ("0A000", .badStatement), ("21000", .badData), ("22P02", .badData), ("22021", .badData),
            ("23505", .violated), ("23503", .violated), ("28P01", .denied), ("28000", .denied),
            ("42601", .badStatement),
            ("XX000", .other), ("XX001", .other), ("58030", .other), ("", .other), ("?", .other),
        ] as [(String, DatabaseFault.Kind)]
    )
    func states(state: String, kind: DatabaseFault.Kind) {
        #expect(DatabaseFault.Kind(state: state) == kind)
    }

    @Test("every kind maps to one exit status", arguments: DatabaseFault.Kind.allCases)
    func consequence(kind: DatabaseFault.Kind) {
        let expected: MediaModel.ExitStatus =
            switch kind {
            case .noSpace, .noMemory: .exhausted
            case .inUse: .refused
            default: .databaseUnreachable
            }
        let error = DatabaseFault(kind: kind, state: "XX000", message: "m", detail: "d", hint: "h").syncError("w")
        #expect(error.code.exitStatus == expected)
        #expect(error.description == "w: m (SQLSTATE XX000): d")
        #expect(error.hint != nil)
    }

    @Test(
        "what the server says becomes one escaped line",
        arguments: [
            ("one\n", "one"), ("one\n\ttwo\r\n\n", "one; two"), ("tab\tbell\u{7}", "tab\\x09bell\\x07"), ("", ""),
            ("ü", "ü"), ("a\\b", "a\\x5cb"),
        ]
    )
    func lines(text: String, expected: String) {
        #expect(DatabaseFault.line(text) == expected)
    }
}
