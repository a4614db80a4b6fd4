internal import MediaModel

/// What `pg_restore --verbose` says, line by line: which entry it is at, and why it failed. A dump's names stand in it, so
/// that nothing of it is more than a hint, and all of it is escaped.
struct RestoreLog {
    enum Event: Equatable {
        /// A worker of its own begins an entry, or has finished it.
        case launched(Int), finished(Int)
        /// The program itself begins one.
        case processing(Int)
        /// The same by its name: `TABLE DATA public.statuses`.
        case working(String)
        /// Between them workers are busy.
        case loopBegins, loopEnds
    }

    private static let prefix = Array("pg_restore: ".utf8)
    private static let errorsMax = 3
    /// Bytes of a line that are kept.
    private static let keptMax = 400

    /// `4567; 0 16500 TABLE DATA public accounts mastodon`: the entry that the first error is about.
    private(set) var entry: String?
    /// The first errors.
    private(set) var errors: [String] = []
    /// What stands behind the first of them: `COPY accounts, line 3, column id: "x"`.
    private(set) var context: String?
    /// The last line of all, for programs that end without an error.
    private(set) var last: String?
    private(set) var isOutOfSpace = false
    private(set) var isLost = false

    /// Takes a line; nil where it tells nothing of the work.
    mutating func take(_ line: [UInt8]) -> Event? {
        guard line.starts(with: Self.prefix) else {
            keep(line)
            return nil
        }
        let words = line.dropFirst(Self.prefix.count)
        if let event = Self.event(words) { return event }
        keep(Array(words))
        return nil
    }

    private static func event(_ words: ArraySlice<UInt8>) -> Event? {
        func rest(_ start: String) -> ArraySlice<UInt8>? {
            words.starts(with: start.utf8) ? words.dropFirst(start.utf8.count) : nil
        }
        if let text = rest("launching item ") { return number(text).map { .launched($0) } }
        if let text = rest("finished item ") { return number(text).map { .finished($0) } }
        if let text = rest("processing item ") { return number(text).map { .processing($0) } }
        if rest("entering main parallel loop") != nil { return .loopBegins }
        if rest("finished main parallel loop") != nil { return .loopEnds }
        if let text = rest("processing data for table ") {
            return quoted(text).map { .working("TABLE DATA \($0)") }
        }
        if let text = rest("creating ") {
            // `FK CONSTRAINT "public.statuses fk_1"`
            guard let mark = text.firstIndex(of: UInt8(ascii: "\"")), let name = quoted(text[mark...]) else {
                return nil
            }
            return .working(String(decoding: text[..<mark], as: UTF8.self) + name)
        }
        if let text = rest("executing ") { return .working(String(decoding: text, as: UTF8.self)) }
        return nil
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: text.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }

    private static func quoted(_ text: ArraySlice<UInt8>) -> String? {
        guard text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else { return nil }
        return String(decoding: text.dropFirst().dropLast(), as: UTF8.self)
    }

    // MARK: Failure

    private mutating func keep(_ line: [UInt8]) {
        guard !line.isEmpty else { return }
        let text = BytePath.escaped(Array(line.prefix(Self.keptMax)))
        last = text
        isOutOfSpace = isOutOfSpace || text.contains("No space left on device")
        isLost =
            isLost || text.contains("server closed the connection") || text.contains("terminating connection")
            || text.contains("connection to server")
        if text.contains("error:") || text.contains("ERROR:") || text.contains("FATAL:") {
            if errors.count < Self.errorsMax {
                errors.append(text.hasPrefix("error: ") ? String(text.dropFirst(7)) : text)
            }
        } else if errors.isEmpty, text.hasPrefix("from TOC entry ") {
            entry = String(text.dropFirst(15))
        } else if !errors.isEmpty, context == nil, text.hasPrefix("CONTEXT:") {
            context = String(text.dropFirst(8).drop { $0 == " " })
        }
    }

    /// The error of a run that failed.
    var error: SyncError {
        let reason = errors.first ?? last ?? "pg_restore was ended by a signal"
        return SyncError(
            isOutOfSpace ? .exhausted : .database,
            entry.map { "cannot load the archive's entry \($0)" } ?? "cannot load the archive",
            why: reason + (context.map { "; \($0)" } ?? "") + (isLost ? "; the connection was lost" : ""),
            hint: isOutOfSpace
                ? "free space on the server's disk and run the same command again"
                : "pg_restore -l lists the archive's entries",
            retry: .abortStage
        )
    }
}
