internal import Filtering
internal import Foundation
internal import MediasyncTesting
internal import Testing

/// Goal: a list of rules selects exactly what rsync selects. Method: the same rules, the same tree, both answers.
@Suite(.enabled(if: RsyncProgram.isInstalled, "rsync is not installed"))
struct FilterRulesRsyncTests {
    /// Each is a list of rules: `-` excludes, `+` includes.
    static let ruleSets: [[String]] = [
        ["-*"], ["-foo"], ["-foo/"], ["-/foo"], ["-/foo/"], ["-a"], ["-a/b"], ["-/a/b"], ["-b/c"], ["-a/b/"],
        ["-*.jpg"], ["-*.JPG", "-*.txt"], ["-foo*"], ["-*foo"], ["-f?o"], ["-?"], ["-??"], ["-[a-f]"], ["-[!a-f]"],
        ["-[^a-f]*"], ["-[[:upper:]]*"], ["-[[:digit:]]"], ["-[]a]"], ["-[a-]*"], ["-[x"], ["-[[x]"], ["-\\[x]"],
        ["-\\[x\\]*"], ["-[x]"], ["-back\\slash"], ["-back\\slash*"], ["-back\\\\slash*"], ["-*\\"], ["-star\\*"],
        ["-**"], ["-**/foo"], ["-**foo"], ["-foo/**"], ["-/foo/**"], ["-a/**/a"], ["-a**a"], ["-**/a/**"], ["-***"],
        ["-foo/***"], ["-/a/***"], ["-a***"], ["-/***"], ["-deep/**/b"], ["-deep/*/b"], ["-*/*/b"], ["-/*/*/b"],
        ["-/*"], ["+/foo/", "-/*"], ["+*/", "-*"], ["+*/", "+*.jpg", "-*"], ["+/cache/", "+/cache/***", "-/*"],
        ["+a", "-a*"], ["-a*", "+a"], ["+foo/***", "-*"], ["+/foo/", "+/foo/bar/", "+/foo/bar/**", "-*"],
        ["-.*"], ["--*"], ["--n"], ["-+ foo"], ["+- foo"], ["-+ plus"], ["-- + plus"], ["-!"], ["-foo", "-!", "-a"],
        ["-foo", "+!", "-a"], ["-!neg"], ["-!*"], ["- lead"], ["-trail "], ["-trail"], ["-# hash"], ["-/"], ["-//"],
        ["-foo//"], ["-a//b"], ["-/a/b/c/a"], ["-c/a"], ["-ü"], ["-?ü"], ["-[[:alpha:]"], ["-[[:nonsense:]]"],
        ["-[[:alpha:][:digit:]]"], ["-[a-c-e]*"], ["-[z-a]"], ["-[\\]a]*"], ["-[a\\-z]*"], ["-[!/]oo"], ["-a[/]b"],
        ["-a?b"], ["-*b*c"], ["-**b**a"], ["-a/b/*"], ["-a/*/c/"], ["-*/"], ["-**/"], ["-foo/*/", "+foo/bar/baz"],
        ["-cache"], ["-/cache/accounts/avatars"], ["-accounts/avatars/*"], ["-original/"], ["-*a*a*a*a*b"],
        ["-tab\t*"], ["-*[[:space:]]*"], ["-*[[:punct:]]"], ["-[[:cntrl:]]"], ["-*\\**"], ["-**\\*"], ["-a\\**"],
    ]

    /// One argument list for rsync and the same rules for us.
    private static func rules(_ set: [String]) -> (arguments: [String], rules: FilterRules) {
        var rules = FilterRules()
        var arguments: [String] = []
        for rule in set {
            let pattern = String(rule.dropFirst())
            if rule.first == "-" {
                rules.exclude(Array(pattern.utf8))
                arguments.append("--exclude=\(pattern)")
            } else {
                rules.include(Array(pattern.utf8))
                arguments.append("--include=\(pattern)")
            }
        }
        return (arguments, rules)
    }

    @Test("every rule set of the table selects what rsync selects")
    func table() throws {
        let tree = try TrickyTree()
        for set in Self.ruleSets {
            let (arguments, rules) = Self.rules(set)
            let theirs = try tree.transferred(by: arguments)
            let ours = tree.walked { rules.excludes($0, isDirectory: $1) }
            #expect(readable(ours) == readable(theirs), "\(set)")
        }
    }

    @Test("random rule sets select what rsync selects, seeded")
    func random() throws {
        let tree = try TrickyTree()
        var generator = SeededGenerator(state: 20_261_123)
        let pieces = [
            "a", "b", "c", "foo", "bar", "*", "**", "?", "/", "/", "[a-f]", "[!a]", "[x]", ".", "jpg", "\\*", "***",
            "o",
            "\\", "[[:alpha:]]", "deep", "110", "-", "[",
        ]
        for _ in 0..<150 {
            let set = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                let length = Int.random(in: 1...5, using: &generator)
                let pattern = (0..<length).map { _ in pieces.randomElement(using: &generator) ?? "a" }.joined()
                return (Bool.random(using: &generator) ? "-" : "+") + pattern
            }
            let (arguments, rules) = Self.rules(set)
            let theirs = try tree.transferred(by: arguments)
            let ours = tree.walked { rules.excludes($0, isDirectory: $1) }
            #expect(readable(ours) == readable(theirs), "\(set)")
        }
    }

    @Test(
        "files of rules are read as rsync reads them",
        arguments: [
            "foo\nbar*\n", "# foo\n;a\nfoo", "\n\n foo\n", "+ foo\n*o*\n", "- foo\n+ a\n", "foo\r\na\r\n", "a\rfoo",
            "foo\n!\na\n", "foo\0bar\na\n", "\u{1}\n#\n", "- \\#*\n", "- # hash\n", "-n\n", "+ */\n+ *.jpg\n- *\n",
        ]
    )
    func files(contents: String) throws {
        let tree = try TrickyTree()
        let bytes = Array(contents.utf8) + [0x0a, 0xff, 0x2a, 0x0a]
        tree.tree.makeFile(Array("rules".utf8), contents: bytes)
        for (option, decision) in [("--exclude-from", FilterRules.Default.exclude), ("--include-from", .include)] {
            var rules = FilterRules()
            rules.appendFile(bytes, as: decision)
            rules.exclude(Array("*o*".utf8))
            let theirs = try tree.transferred(by: ["\(option)=rules", "--exclude=*o*"])
            let ours = tree.walked { rules.excludes($0, isDirectory: $1) }
            #expect(readable(ours) == readable(theirs), "\(option)")
        }
    }

    @Test("files of rules separated by NUL are read as rsync reads them with --from0")
    func nullSeparated() throws {
        let tree = try TrickyTree()
        let bytes = Array("foo\0#a\0bar*\0\0- *\n*\0".utf8)
        tree.tree.makeFile(Array("rules".utf8), contents: bytes)
        var rules = FilterRules()
        rules.appendFile(bytes, as: .exclude, separatedBy: .null)
        let theirs = try tree.transferred(by: ["-0", "--exclude-from=rules"])
        #expect(readable(tree.walked { rules.excludes($0, isDirectory: $1) }) == readable(theirs))
    }
}
