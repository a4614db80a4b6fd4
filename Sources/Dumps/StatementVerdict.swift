/// What the vetting says about one statement.
enum StatementVerdict: Equatable {
    case role(StatementRole, rows: Int = 0)
    /// Rows follow.
    case copy(CopyHeader)
    /// - Parameter rowsFollow: it is a COPY from standard input all the same, so that rows come next.
    case refused(Refusal.Reason, String? = nil, rowsFollow: Bool = false)
    /// Harmless and known: the encoding of the text.
    case encoding(String)

    static func leftOut(_ reason: LeftOutReason) -> StatementVerdict { .role(.leftOut(reason)) }
    static let structure = StatementVerdict.role(.structure)
    static let unknown = StatementVerdict.refused(.unknown)
}
