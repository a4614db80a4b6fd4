package import MediaModel
internal import Programs

/// The table of contents of an archive, as `pg_restore -l` lists it, with each entry vetted.
package struct ArchiveToc: Sendable {
    package let entries: [Entry]
    /// The database that was dumped; nil where the list does not tell.
    package let database: String?
    /// `2026-11-24 07:28:03 UTC`.
    package let createdAt: String?

    /// One line of the list.
    package struct Entry: Sendable, Equatable {
        package let id: Int
        /// `TABLE DATA`, `FK CONSTRAINT`.
        package let descriptor: String
        /// Nil where the list has `-`.
        package let schema: String?
        /// The name, and the owner behind it.
        package let tag: String
        package let verdict: Verdict
    }

    package enum Verdict: Sendable, Equatable {
        case use
        case leftOut(LeftOutReason)
        case refused(Refusal.Reason)
    }

    /// Bytes of a list: Mastodon's has about 100,000.
    private static let listMax = 64 << 20

    /// Runs `pg_restore -l`, with what makes the database among it. Blocks: call it on a thread of a `WorkerPool`.
    package static func read(_ file: DumpFile, program: RestoreProgram) throws(SyncError) -> ArchiveToc {
        let (output, failure) = try ChildProgram.run(
            ProgramCall(program.path, [BytePath("--list"), BytePath("--create"), file.pathForPrograms]),
            limit: listMax
        )
        if let failure { throw program.error(file, failure) }
        return try ArchiveToc(list: output)
    }

    /// Reads a list. A line that cannot be read is an error: nothing may be passed over.
    init(list: [UInt8]) throws(SyncError) {
        var entries: [Entry] = []
        for line in list.split(separator: 0x0A) where line.first != UInt8(ascii: ";") {
            guard let entry = Entry(line: String(decoding: line, as: UTF8.self)) else {
                throw DumpError.broken("its list has a line that cannot be read: \(BytePath.escaped(Array(line)))")
            }
            entries.append(entry)
        }
        self.entries = entries
        database = Self.comment("    dbname: ", in: list)
        createdAt = Self.comment("Archive created at ", in: list)
    }

    /// What a comment at the list's head says.
    private static func comment(_ title: String, in list: [UInt8]) -> String? {
        let start = Array("; \(title)".utf8)
        let head = list.split(separator: 0x0A, maxSplits: 20).prefix(20).prefix { $0.first == UInt8(ascii: ";") }
        return head.first { $0.starts(with: start) }.map { String(decoding: $0.dropFirst(start.count), as: UTF8.self) }
    }

    /// The list for `pg_restore --use-list`: only entries that are used. Throws at the first one that is refused.
    package func vettedList() throws(SyncError) -> [UInt8] {
        if let refusal = refusals.first { throw refusal.error }
        return usedList
    }

    /// Entries by their numbers alone, which is all that `pg_restore` reads of a line.
    var usedList: [UInt8] {
        entries.filter { $0.verdict == .use }.flatMap { Array("\($0.id);\n".utf8) }
    }

    /// The entries that are refused.
    var refusals: [Refusal] {
        entries.compactMap { entry in
            guard case .refused(let reason) = entry.verdict else { return nil }
            let text = BytePath.escaped(Array("\(entry.descriptor) \(entry.tag)".utf8.prefix(100)))
            return Refusal(line: 0, reason: reason, text: text, entry: entry.id)
        }
    }
}

extension ArchiveToc.Entry {
    /// `217; 1259 16388 TABLE public accounts mastodon`.
    init?(line: String) {
        guard let semicolon = line.firstIndex(of: ";"), let id = Int(line[..<semicolon]), id > 0 else { return nil }
        let rest = line[line.index(after: semicolon)...]
        let words = rest.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count >= 4, words[0].allSatisfy(\.isNumber), words[1].allSatisfy(\.isNumber) else { return nil }
        // Descriptors have up to three words in capitals; a name may be written in capitals as well, so that only known
        // ones are looked for, the longest first.
        for count in [4, 3, 2, 1] where words.count > 2 + count {
            let descriptor = words[2..<(2 + count)].joined(separator: " ")
            guard let rule = ArchiveToc.rules[descriptor] else { continue }
            let schema = String(words[2 + count])
            let tag = words[(3 + count)...].joined(separator: " ")
            self.init(
                id: id,
                descriptor: descriptor,
                schema: schema == "-" ? nil : schema,
                tag: tag,
                verdict: rule(tag)
            )
            return
        }
        self.init(id: id, descriptor: String(words[2]), schema: nil, tag: String(rest), verdict: .refused(.unknown))
    }
}
