/// The comments of a dump that mean something.
enum HeaderComment: Equatable {
    case dump
    case cluster
    case dumpComplete
    case clusterComplete
    case serverVersion(String)
    case programVersion(String)
    case startedOn(String)
    case other

    /// - Parameter line: with its dashes, without its line feed.
    init(line: some Collection<UInt8>) {
        // Longer comments mean nothing, and what is kept of one is shown to people.
        guard line.count <= 200, line.starts(with: "--".utf8) else {
            self = .other
            return
        }
        let text = String(decoding: line.dropFirst(2).drop { $0 == 0x20 }, as: UTF8.self)
        switch text {
        case "PostgreSQL database dump": self = .dump
        case "PostgreSQL database cluster dump": self = .cluster
        case "PostgreSQL database dump complete": self = .dumpComplete
        case "PostgreSQL database cluster dump complete": self = .clusterComplete
        default: self = Self.withValue(text)
        }
    }

    private static func withValue(_ text: String) -> HeaderComment {
        let known: [(String, (String) -> HeaderComment)] = [
            ("Dumped from database version ", { .serverVersion($0) }),
            ("Dumped by pg_dump version ", { .programVersion($0) }),
            ("Started on ", { .startedOn($0) }),
        ]
        for (prefix, make) in known where text.hasPrefix(prefix) { return make(String(text.dropFirst(prefix.count))) }
        return .other
    }
}
