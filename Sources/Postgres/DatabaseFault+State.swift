/// SQLSTATE to kind: single codes first, then their class (the first two characters). Appendix A of PostgreSQL's manual.
extension DatabaseFault.Kind {
    package init(state: String) {
        self = Self.states[state] ?? Self.classes[String(state.prefix(2))] ?? .other
    }

    private static let states: [String: Self] = [
        "25P03": .terminated,
        "42501": .forbidden,
        "53100": .noSpace,
        "53200": .noMemory,
        "53300": .tooManyConnections,
        "55006": .inUse,
        "55P03": .inUse,
        "57014": .cancelled,
        "57P01": .terminated,
        "57P02": .terminated,
        "57P03": .unreachable,
        "57P04": .terminated,
        "57P05": .terminated,
        "40P01": .conflict,
        "3D000": .missing,
        "3F000": .missing,
        "42P01": .missing,
        "42704": .missing,
        "42883": .missing,
        "42703": .missing,
        "42P04": .exists,
        "42P06": .exists,
        "42P07": .exists,
        "42710": .exists,
        "42723": .exists,
        "54000": .badData,
    ]

    private static let classes: [String: Self] = [
        "08": .lost,
        "0A": .badStatement,
        "21": .badData,
        "22": .badData,
        "23": .violated,
        "28": .denied,
        "40": .conflict,
        "42": .badStatement,
        "53": .noMemory,
    ]
}
