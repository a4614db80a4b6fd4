extension ArchiveToc {
    typealias Rule = @Sendable (_ tag: String) -> Verdict

    /// What becomes of an entry by its kind. The statements in the entries that are used are vetted one by one as well.
    static let rules: [String: Rule] = {
        var rules: [String: Rule] = [:]
        let used = [
            "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE", "COLLATION", "TABLE", "TABLE DATA", "TABLE ATTACH",
            "SEQUENCE", "SEQUENCE OWNED BY", "SEQUENCE SET", "DEFAULT", "VIEW", "MATERIALIZED VIEW",
            "MATERIALIZED VIEW DATA", "INDEX", "INDEX ATTACH", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT",
            "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS", "TEXT SEARCH CONFIGURATION",
            "TEXT SEARCH DICTIONARY",
        ]
        for kind in used { rules[kind] = { _ in .use } }
        let leftOut: [(LeftOutReason, [String])] = [
            (.database, ["DATABASE", "DATABASE PROPERTIES"]), (.privilege, ["ACL", "DEFAULT ACL"]),
            (.securityLabel, ["SECURITY LABEL"]), (.statistics, ["STATISTICS DATA"]),
            (.setting, ["ENCODING", "STDSTRINGS", "SEARCHPATH"]),
            (.largeObject, ["BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS"]),
        ]
        for (reason, kinds) in leftOut { for kind in kinds { rules[kind] = { _ in .leftOut(reason) } } }
        let outside = [
            "EVENT TRIGGER", "FOREIGN DATA WRAPPER", "FOREIGN SERVER", "SERVER", "USER MAPPING", "FOREIGN TABLE",
            "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE",
        ]
        for kind in outside { rules[kind] = { _ in .refused(.outside) } }
        let languages: [String] = ["LANGUAGE", "PROCEDURAL LANGUAGE"]
        for kind in languages {
            rules[kind] = {
                $0.split(separator: " ").first == "plpgsql" ? .leftOut(.serverExtension) : .refused(.language)
            }
        }
        rules["SCHEMA"] = { $0.split(separator: " ").first == "public" ? .leftOut(.publicSchema) : .use }
        rules["EXTENSION"] = { tag in
            switch ExtensionPolicy.verdict(tag.split(separator: " ").first.map(String.init) ?? "") {
            case .role(.leftOut(let reason), _): .leftOut(reason)
            case .refused(let reason, _, _): .refused(reason)
            default: .use
            }
        }
        rules["COMMENT"] = { tag in
            let words = tag.split(separator: " ")
            return switch words.first {
            case "EXTENSION": .leftOut(.extensionComment)
            case "DATABASE": .leftOut(.database)
            case "LARGE": .leftOut(.largeObject)
            case "SCHEMA" where words.dropFirst().first == "public": .leftOut(.publicSchema)
            default: .use
            }
        }
        return rules
    }()
}
