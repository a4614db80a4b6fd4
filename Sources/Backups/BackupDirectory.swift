package import MediaModel
package import Settings
internal import Storage

/// What a directory of an export holds: the snap's, or our own. Each part may be missing. Values only; paths are for those
/// who read the parts.
package struct BackupDirectory: Sendable {
    package let path: BytePath
    /// The snap's version, or Mastodon's: `4.6.1snap1`. Escaped.
    package let version: String?
    /// The snap's settings, by name.
    package let settings: [String: String]
    /// Mastodon's settings with all secrets: never to be printed.
    package let configurationText: [UInt8]?
    /// A dump of the database or of the whole server.
    package let dump: BytePath?
    package let redis: BytePath?
    /// Files below `certs`, by their paths in it.
    package let certificates: [BytePath]
    package let media: BytePath?
    /// Whether mediasync made it: there are manifests then.
    package let isOurs: Bool
    /// Parts that are there and cannot be used, by name. What they are is missing above.
    package let problems: [SyncError]

    /// The settings as data.
    package var configuration: EnvironmentFile? { configurationText.map { EnvironmentFile($0) } }

    /// Looks at a directory. Nothing large is read, and no link is followed.
    /// - Throws: where it cannot be opened, or holds no part of an export.
    package static func read(_ path: BytePath) throws(SyncError) -> BackupDirectory {
        let directory = try open(path)
        defer { directory.close() }
        return try BackupDirectory(path, directory)
    }

    static func open(_ path: BytePath) throws(SyncError) -> HeldDirectory {
        do throws(FileFault) {
            return try HeldDirectory.openRoot(path)
        } catch {
            throw SyncError(
                .unusable,
                "cannot open the export \(path)",
                why: error.reason,
                hint: "name the directory that holds database.sql, mastodon.conf or a media archive"
            )
        }
    }

    init(_ path: BytePath, _ directory: HeldDirectory) throws(SyncError) {
        var problems: [SyncError] = []
        func part<Part>(_ look: () throws(SyncError) -> Part?) -> Part? {
            do throws(SyncError) { return try look() } catch {
                problems.append(error)
                return nil
            }
        }
        self.path = path
        let version = part { () throws(SyncError) in try directory.smallFile(BackupLayout.version, limit: 4096) }
        self.version = version.map { BytePath.escaped(Array($0.prefix { $0 != UInt8(ascii: "\n") })) }
        let settings = part { () throws(SyncError) in
            try directory.smallFile(BackupLayout.settings).map { (text) throws(SyncError) in try Self.settings(text) }
        }
        self.settings = settings ?? [:]
        configurationText = part { () throws(SyncError) in try directory.smallFile(BackupLayout.configuration) }
        dump = part { () throws(SyncError) in
            try directory.regularFile(BackupLayout.dump).map { _ in path.appending(BackupLayout.dump) }
        }
        redis = part { () throws(SyncError) in
            try directory.regularFile(BackupLayout.redis).map { _ in path.appending(BackupLayout.redis) }
        }
        certificates = part { () throws(SyncError) in try Self.certificates(directory) } ?? []
        media = part { () throws(SyncError) in
            try Self.media(directory).map { path.appending($0) }
        }
        let marker = part { () throws(SyncError) in try directory.smallFile(BackupLayout.marker, limit: 4096) }
        isOurs = marker.flatMap { BackupMarker($0) } != nil
        self.problems = problems
        guard dump == nil, media == nil, configurationText == nil, problems.isEmpty else { return }
        throw SyncError(
            .unusable,
            "\(path) is no export",
            why: "it has neither database.sql nor mastodon.conf nor a media archive",
            hint: "name a directory that mediasync export or the snap's export made"
        )
    }

    /// `key=value` lines; the snap's values are words and numbers.
    static func settings(_ text: [UInt8]) throws(SyncError) -> [String: String] {
        var settings: [String: String] = [:]
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), equals > line.startIndex else {
                throw SyncError(
                    .unusable,
                    "\(BackupLayout.settings) is broken",
                    why: "line \(index + 1) is no setting: key=value"
                )
            }
            let key = String(decoding: line[..<equals], as: UTF8.self)
            settings[key] = String(decoding: line[(equals + 1)...], as: UTF8.self)
        }
        return settings
    }

    private static func media(_ directory: HeldDirectory) throws(SyncError) -> BytePath? {
        var found: [BytePath] = []
        for name in BackupLayout.mediaArchives where try directory.regularFile(name) != nil { found.append(name) }
        if found.count < 2 { return found.first }
        throw SyncError(
            .unusable,
            "there is more than one media archive",
            why: found.map(\.description).joined(separator: ", "),
            hint: "move all but one of them away"
        )
    }

    /// Regular files below `certs`, two levels deep as ACME clients keep them.
    static func certificates(_ directory: HeldDirectory) throws(SyncError) -> [BytePath] {
        var found: [BytePath] = []
        func walk(_ folder: HeldDirectory, _ path: BytePath, depth: Int) throws(SyncError) {
            for name in try folder.names(limit: BackupLayout.certificatesMax) {
                let inside = path.appending(name)
                if found.count >= BackupLayout.certificatesMax {
                    throw SyncError(.unusable, "\(BackupLayout.certificates) has too many files")
                }
                let metadata: Metadata
                do throws(FileFault) {
                    metadata = try name.withEntryName { (name) throws(FileFault) in try folder.metadata(of: name) }
                } catch { throw error.syncError("could not look at \(inside)") }
                switch metadata.kind {
                case .file where metadata.size <= BackupLayout.certificateBytesMax: found.append(inside)
                case .directory where depth < 4:
                    guard let next = try folder.directory(name) else { continue }
                    defer { next.close() }
                    try walk(next, inside, depth: depth + 1)
                default:
                    throw SyncError(
                        .unusable,
                        "\(BackupLayout.certificates.appending(inside)) is no certificate",
                        why: "only files of some kilobytes belong there, no links"
                    )
                }
            }
        }
        guard let folder = try directory.directory(BackupLayout.certificates) else { return [] }
        defer { folder.close() }
        try walk(folder, .root, depth: 0)
        return found
    }
}
