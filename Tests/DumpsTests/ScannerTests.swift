import MediaModel
import MediasyncTesting
import Testing

@testable import Dumps

/// Keeps what a scanner finds, one line each.
final class ScanRecorder: ScanHandler {
    var found: [String] = []
    private var rowBytes: [UInt8] = []
    private var rowCount = 0

    private func text(_ bytes: some Sequence<UInt8>) -> String { BytePath.escaped(Array(bytes)) }

    func comment(_ bytes: [UInt8], line: Int) { found.append("\(line) comment \(text(bytes))") }
    func metaCommand(_ bytes: [UInt8], line: Int, isCut: Bool) { found.append("\(line) command \(text(bytes))") }
    func strayCommand(line: Int) { found.append("\(line) stray") }

    func statement(_ bytes: [UInt8], line: Int) -> Bool {
        found.append("\(line) statement \(text(bytes))")
        return bytes.starts(with: "COPY".utf8)
    }

    func rows(_ bytes: UnsafeRawBufferPointer, count: Int, line: Int) {
        rowBytes.append(contentsOf: bytes)
        rowCount += count
    }

    func rowsEnd(line: Int) {
        found.append("\(line) rows \(rowCount) \(text(rowBytes))")
        (rowBytes, rowCount) = ([], 0)
    }
}

/// Where statements begin and end, by the server's rules.
@Suite struct ScannerTests {
    private func scan(_ text: [UInt8], cuts: [Int] = []) -> (found: [String], error: SyncError?) {
        let recorder = ScanRecorder()
        let scanner = DumpScanner(handler: recorder)
        let pieces = TextPieces(text, cuts: cuts)
        do throws(SyncError) {
            while let piece = pieces.next() { try scanner.consume(piece) }
            try scanner.finish()
            return (recorder.found, nil)
        } catch {
            return (recorder.found, error)
        }
    }

    @Test(
        "statements",
        arguments: [
            ("", []),
            (" \n\t\r\n;;\n ", []),
            ("A;B ;\nC\n;", ["1 statement A", "1 statement B ", "2 statement C\\x0a"]),
            ("\u{FEFF}A;", ["1 statement A"]),
            // Comments in front belong to nothing, comments inside to their statement.
            ("-- one\nA -- ; two\n;", ["1 comment -- one", "2 statement A -- ; two\\x0a"]),
            ("--\n--x", ["1 comment --", "2 comment --x"]),
            ("-- a\rB;", ["1 comment -- a", "1 statement B"]),
            ("/* ; /* ; */ ; \n*/ A /* ; */;", ["2 statement A /* ; */"]),
            ("/*/ ; */A;", ["1 statement A"]), ("/***/A;", ["1 statement A"]), ("/**//**/A;", ["1 statement A"]),
            ("/* //* */ */A;", ["1 statement A"]), ("- 1;", ["1 statement - 1"]), ("/ 1;", ["1 statement / 1"]),
            ("A - 1 / 2 - -- x\n 3;", ["1 statement A - 1 / 2 - -- x\\x0a 3"]),
            ("A+/* ; */B;", ["1 statement A+/* ; */B"]),
            // Strings.
            ("A ';';B;", ["1 statement A ';'", "1 statement B"]),
            ("A 'x''y;\n--' ;B;", ["1 statement A 'x''y;\\x0a--' ", "2 statement B"]),
            ("A 'x\\';B;", ["1 statement A 'x\\x5c'", "1 statement B"]),
            ("A E'x\\';';B;", ["1 statement A E'x\\x5c';'", "1 statement B"]),
            ("A e'x\\\\';B;", ["1 statement A e'x\\x5c\\x5c'", "1 statement B"]),
            ("A E'a''b\\';';B;", ["1 statement A E'a''b\\x5c';'", "1 statement B"]),
            ("A E'a'\n'b\\';';B;", ["1 statement A E'a'\\x0a'b\\x5c';'", "2 statement B"]),
            (
                "A E'a' -- '\n  -- '\n 'b\\';';B;",
                ["1 statement A E'a' -- '\\x0a  -- '\\x0a 'b\\x5c';'", "3 statement B"]
            ),
            ("A E'a' 'b\\';B;", ["1 statement A E'a' 'b\\x5c'", "1 statement B"]),
            ("A E'a'/**/\n'b\\';B;", ["1 statement A E'a'/**/\\x0a'b\\x5c'", "2 statement B"]),
            ("A te'x\\';B;", ["1 statement A te'x\\x5c'", "1 statement B"]),
            ("A 1e'x\\';';B;", ["1 statement A 1e'x\\x5c';'", "1 statement B"]),
            ("A b'1;'x'2;'n'\\';B;", ["1 statement A b'1;'x'2;'n'\\x5c'", "1 statement B"]),
            ("A \"b;\"\"c;\n\";B;", ["1 statement A \"b;\"\"c;\\x0a\"", "2 statement B"]),
            ("A \"it's\";B;", ["1 statement A \"it's\"", "1 statement B"]),
            // Dollar quotes.
            ("A $$;'$$;B;", ["1 statement A $$;'$$", "1 statement B"]),
            ("A $a$;$$;$b$;$a$;B;", ["1 statement A $a$;$$;$b$;$a$", "1 statement B"]),
            ("A $a$ $$a$;B;", ["1 statement A $a$ $$a$", "1 statement B"]),
            ("A $a$ $a $a$;B;", ["1 statement A $a$ $a $a$", "1 statement B"]),
            ("A $_1é$;\n$_1é$;B;", ["1 statement A $_1é$;\\x0a$_1é$", "2 statement B"]),
            ("A $1;B;", ["1 statement A $1", "1 statement B"]),
            ("A $1$$;$$;B;", ["1 statement A $1$$;$$", "1 statement B"]),
            ("A 1$$;$$;B;", ["1 statement A 1$$;$$", "1 statement B"]),
            ("A a$$;B;", ["1 statement A a$$", "1 statement B"]),
            ("A $ a;B;", ["1 statement A $ a", "1 statement B"]),
            ("A $e'\\';';B;", ["1 statement A $e'\\x5c';'", "1 statement B"]),
            // Parentheses and bodies.
            ("A (;);B;", ["1 statement A (;)", "1 statement B"]),
            ("A );B;", ["1 statement A )", "1 statement B"]),
            (
                "CREATE F() BEGIN ATOMIC a; b; END;B;",
                ["1 statement CREATE F() BEGIN ATOMIC a; b; END", "1 statement B"]
            ),
            (
                "create f() begin atomic select case when a then b end; (end); x.end; y as end; END;B;",
                [
                    "1 statement create f() begin atomic select case when a then b end; (end); x.end; y as end; END",
                    "1 statement B",
                ]
            ),
            ("CREATE f(begin atomic);B;", ["1 statement CREATE f(begin atomic)", "1 statement B"]),
            ("CREATE f begin;B;", ["1 statement CREATE f begin", "1 statement B"]),
            ("A begin atomic;B;", ["1 statement A begin atomic", "1 statement B"]),
            ("CREATE x \"begin\" atomic;B;", ["1 statement CREATE x \"begin\" atomic", "1 statement B"]),
            // Commands.
            ("\\x y\nA;", ["1 command \\x5cx y", "2 statement A"]), ("\\x", ["1 command \\x5cx"]),
            ("\\x\r\nA;", ["1 command \\x5cx", "2 statement A"]),
            ("A;  \\x ;\nB;", ["1 statement A", "1 command \\x5cx ;", "2 statement B"]),
            ("A \\x\n;", ["1 stray", "1 statement A \\x5cx\\x0a"]),
            // Rows.
            ("COPY x;\n\\.\nA;", ["1 statement COPY x", "2 rows 0 ", "3 statement A"]),
            (
                "COPY x; \r\n1;\n\n\\\\.\n\\N\n\\.\r\nA;",
                ["1 statement COPY x", "6 rows 4 1;\\x0a\\x0a\\x5c\\x5c.\\x0a\\x5cN\\x0a", "7 statement A"]
            ),
            ("COPY x;\na\\.\n.\n\\.\n", ["1 statement COPY x", "4 rows 2 a\\x5c.\\x0a.\\x0a"]),
            (
                "COPY x;\n\\.\nCOPY y;\n1\n\\.\n",
                ["1 statement COPY x", "2 rows 0 ", "3 statement COPY y", "5 rows 1 1\\x0a"]
            ),
        ] as [(String, [String])]
    )
    func statements(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        #expect(scan(bytes).found == expected)
        #expect(scan(bytes).error == nil)
        // The same, cut at every byte, and into single bytes.
        for cut in bytes.indices { #expect(scan(bytes, cuts: [cut]).found == expected, "cut at \(cut)") }
        #expect(scan(bytes, cuts: Array(bytes.indices)).found == expected)
    }

    @Test(
        "what is open at the end, or out of place, is an error with its line",
        arguments: [
            ("\nA", 2), ("A '", 1), ("A\n\"x\n", 3), ("A $$ $", 1), ("A $x", 1), ("A (;", 1), ("/* /* */", 1),
            ("A /*", 1),
            ("A E'\\'", 1), ("COPY x;", 1), ("COPY x;\n", 2), ("COPY x;\n1\n", 3),
            ("COPY x;\n1\n\\.", 3),
            ("COPY x;\n\\.x\n", 2), ("COPY x;\n1\n\\.\\.\n", 3), ("COPY x;\n\\..\n", 2), ("COPY x; y\n", 1),
            ("COPY x; -- y\n", 1), ("A;\n\0", 2), ("\0", 1), ("COPY x;\n1\n2\0\n\\.\n", 3), ("A '\n\0'", 2),
        ]
    )
    func errors(text: String, line: Int) {
        let bytes = Array(text.utf8)
        for cuts in [[], Array(bytes.indices)] {
            let error = scan(bytes, cuts: cuts).error
            #expect(
                error?.code == .unusable && error?.what == "the dump is broken at line \(line)",
                "\(String(describing: error))"
            )
        }
    }

    /// Text that is likely to confuse, from parts that mean something to the scanner.
    private func confusing(_ random: inout SeededGenerator) -> [UInt8] {
        let parts = [
            "'", "''", "E'", "e'\\'", "\\", "\\.", "\n\\.\n", "\n", "\r", "\r\n", "$$", "$a$", "$", "$1", "\"", "--",
            "-", "/*",
            "*/", "/", "*", ";", ";\n", "(", ")", "CREATE ", "BEGIN ATOMIC ", "CASE ", "END ", "COPY x;\n", "1\t2\n",
            "a", "é",
            " ", "\t", "\\N", "U&'", "x'", "\u{FEFF}", "\n\\restrict a\n", ".", "AS ",
        ]
        return (0..<Int.random(in: 1...40, using: &random)).flatMap { _ in
            Array(parts[Int.random(in: 0..<parts.count, using: &random)].utf8)
        }
    }

    @Test("a text cut at every byte, and anywhere twice, is found to be the same", arguments: 0..<12 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let text = confusing(&random)
            let whole = scan(text)
            for cut in text.indices {
                let other = scan(text, cuts: [cut])
                #expect(whole == other, "seed \(seed), round \(round), cut at \(cut): \(BytePath.escaped(text))")
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0..<text.count, using: &random) }.sorted()
            #expect(whole == scan(text, cuts: cuts), "seed \(seed), round \(round), cuts \(cuts)")
            #expect(whole == scan(text, cuts: Array(text.indices)), "seed \(seed), round \(round), single bytes")
        }
    }

    @Test("a statement that was found whole has tokens that are whole", arguments: 100..<112 as Range<UInt64>)
    func tokensAgree(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        final class Statements: ScanHandler {
            var statements: [[UInt8]] = []
            func comment(_ bytes: [UInt8], line: Int) {}
            func metaCommand(_ bytes: [UInt8], line: Int, isCut: Bool) {}
            func strayCommand(line: Int) {}
            func rows(_ bytes: UnsafeRawBufferPointer, count: Int, line: Int) {}
            func rowsEnd(line: Int) {}
            func statement(_ bytes: [UInt8], line: Int) -> Bool {
                statements.append(bytes)
                return false
            }
        }
        for round in 0..<500 {
            let text = confusing(&random)
            let handler = Statements()
            let scanner = DumpScanner(handler: handler)
            do throws(SyncError) {
                try TextPieces(text).next().map { (piece) throws(SyncError) in try scanner.consume(piece) }
            } catch {}
            for statement in handler.statements {
                let tokens = SQLTokenizer.tokens(of: statement)
                #expect(tokens != nil, "seed \(seed), round \(round): \(BytePath.escaped(statement))")
                // No `;` outside of parentheses and bodies: it would end the statement for the server.
                guard let tokens, !statement.starts(with: "CREATE".utf8) else { continue }
                var depth = 0
                for token in tokens where token.kind == .symbol {
                    if statement[token.start] == UInt8(ascii: "(") { depth += 1 }
                    if statement[token.start] == UInt8(ascii: ")") { depth = max(0, depth - 1) }
                    #expect(
                        statement[token.start] != UInt8(ascii: ";") || depth > 0,
                        "seed \(seed), round \(round): \(BytePath.escaped(statement))"
                    )
                }
            }
        }
    }
}

private func == (
    left: (found: [String], error: SyncError?),
    right: (found: [String], error: SyncError?)
) -> Bool {
    left.found == right.found && left.error == right.error
}
