internal import CPostgres
internal import MediaModel

/// From libpq's words to a fault. What the server says may hold names and texts of strangers, so it is escaped here.
extension DatabaseFault {
    /// The error of a result; of the connection where the result is none.
    init(result: OpaquePointer?, connection: OpaquePointer?) {
        guard let result, let state = Self.field(result, mds_diag_sqlstate) else {
            self.init(connection: connection, lost: true)
            return
        }
        let message = Self.field(result, mds_diag_message) ?? "no message"
        self.init(
            kind: Kind(state: state),
            state: state,
            message: message,
            detail: Self.field(result, mds_diag_detail),
            hint: Self.field(result, mds_diag_hint),
            context: Self.field(result, mds_diag_context).map(Self.withoutValues)
        )
    }

    /// The error of a connection that could not be made, or that broke.
    init(connection: OpaquePointer?, lost: Bool) {
        let text = connection.flatMap { PQerrorMessage($0) }.map { String(cString: $0) } ?? "no memory"
        let message = Self.line(text)
        if lost {
            self.init(kind: .lost, message: message.isEmpty ? "the connection was closed" : message)
        } else {
            self.init(kind: Self.connectKind(message), message: message)
        }
    }

    /// libpq keeps no SQLSTATE of a failed start: its words in the default language tell.
    private static func connectKind(_ message: String) -> Kind {
        let rows: [(String, Kind)] = [
            ("password authentication failed", .denied),
            ("authentication failed", .denied),
            ("no password supplied", .denied),
            ("no pg_hba.conf entry", .denied),
            ("role \"", .denied),
            ("permission denied for database", .forbidden),
            ("too many clients", .tooManyConnections),
            ("remaining connection slots", .tooManyConnections),
            ("too many connections", .tooManyConnections),
            ("unsupported startup parameter", .pooled),
            ("no such database", .pooled),
            ("is not currently accepting connections", .inUse),
            ("does not exist", .missing),
        ]
        return rows.first { message.contains($0.0) }?.1 ?? .unreachable
    }

    private static func field(_ result: OpaquePointer, _ code: Int32) -> String? {
        PQresultErrorField(result, code).map { line(String(cString: $0)) }
    }

    /// One line without control characters.
    static func line(_ text: String) -> String {
        // Bytes, because a line end of Windows is one character to Swift.
        let lines = text.utf8.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let joined = lines.map { Substring($0).trimmingBlanks }.filter { !$0.isEmpty }.joined(separator: "; ")
        return joined.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F && $0 != "\\" }
            ? joined : BytePath.escaped(Array(joined.utf8))
    }

    /// COPY's context quotes the value that did not fit, which may be a private text: it is cut off.
    private static func withoutValues(_ context: String) -> String {
        guard context.hasPrefix("COPY "), let quote = context.firstRange(of: ": \"") else { return context }
        return String(context[..<quote.lowerBound])
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
