package import MediaModel
internal import Yams

/// The configuration file: YAML, sections of names and plain values. A name that is not known is an error, because what was
/// meant to be set would otherwise silently not be.
package struct ConfigurationFile: Sendable {
    /// Where it is looked for when nobody names one.
    package static let usualPlace = "/etc/mediasync/config.yaml"
    /// It has some thirty settings.
    package static let bytesMax = 1 << 16

    /// A value as it is written.
    struct Entry: Sendable, Equatable {
        let text: String
        let line: Int
    }

    package let path: BytePath
    /// By the names of keys.
    let entries: [String: Entry]

    /// - Throws: an error with the code `configuration` that names the line.
    package init(_ bytes: [UInt8], path: BytePath) throws(SyncError) {
        self.path = path
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SyncError(.configuration, "\(path) is not UTF-8", hint: "write it anew as plain text")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.unreadable(path, error)
        }
        var entries: [String: Entry] = [:]
        for (name, value) in try Self.mapping(root, "", path) {
            // A section that nothing is in.
            if value.null != nil, PresetKey.isSection(name) { continue }
            if case .mapping = value {
                for (inner, value) in try Self.mapping(value, name, path) {
                    try Self.add(value, as: "\(name).\(inner)", path, to: &entries)
                }
            } else {
                try Self.add(value, as: name, path, to: &entries)
            }
        }
        self.entries = entries
    }

    private static func mapping(
        _ node: Node?,
        _ section: String,
        _ path: BytePath
    ) throws(SyncError) -> [(String, Node)] {
        // An empty file, or one of comments.
        guard let node, node.null == nil else { return [] }
        guard let mapping = node.mapping else {
            throw SyncError(
                .configuration,
                "\(path)\(place(node)) is no section of settings",
                hint: "write sections like pace: { per_host: 4 }"
            )
        }
        var found: [(String, Node)] = []
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                throw SyncError(.configuration, "\(path)\(place(key)) has a name that is no text")
            }
            found.append((name.string, value))
        }
        return found
    }

    private static func add(
        _ node: Node,
        as name: String,
        _ path: BytePath,
        to entries: inout [String: Entry]
    ) throws(SyncError) {
        let shown = BytePath.escaped(Array(name.utf8))
        guard let key = PresetKey.named(name) else {
            let nearest = Similarity.nearest(to: name, among: PresetKey.all.map(\.name))
            throw SyncError(
                .configuration,
                "\(shown) in \(path)\(place(node)) is no setting",
                hint: nearest.map { "did you mean \($0)?" }
                    ?? "mediasync doctor --show-config lists what can be set; take the others out"
            )
        }
        if node.null != nil { return }
        guard case .scalar(let scalar) = node else {
            throw SyncError(
                .configuration,
                "\(shown) in \(path)\(place(node)) is not one value",
                hint: "write \(key.name.split(separator: ".").last ?? ""): VALUE, with quotes where it has : or #"
            )
        }
        entries[name] = Entry(text: scalar.string, line: node.mark?.line ?? 0)
    }

    private static func place(_ node: Node) -> String { node.mark.map { ", line \($0.line)," } ?? "" }

    private static func unreadable(_ path: BytePath, _ error: any Error) -> SyncError {
        // Its first line says what and where; the others show the text.
        let why = "\(error)".split(separator: "\n").first.map { BytePath.escaped(Array($0.utf8)) }
        return SyncError(
            .configuration,
            "\(path) is no YAML",
            why: why,
            hint: "correct it, or name another with --config"
        )
    }
}
