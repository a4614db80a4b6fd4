internal import Glibc
package import MediaModel
internal import Programs
internal import Storage

/// The installed `pg_restore`.
package struct RestoreProgram: Sendable {
    package let path: BytePath
    /// Major version of PostgreSQL, 15.
    package let major: Int

    package init(path: BytePath, major: Int) {
        self.path = path
        self.major = major
    }

    /// The newest below `/usr/lib/postgresql`, where Debian has one for each version, else the one in `searchPath`. A newer
    /// one reads what older ones wrote. Blocks.
    /// - Parameter searchPath: the environment's PATH.
    package static func find(searchPath: String?) throws(SyncError) -> RestoreProgram {
        try find(below: BytePath("/usr/lib/postgresql"), searchPath: searchPath)
    }

    static func find(below root: BytePath, searchPath: String?) throws(SyncError) -> RestoreProgram {
        let majors = directories(in: root).compactMap { Int(String(decoding: $0.bytes, as: UTF8.self)) }
        for major in majors.sorted(by: >) {
            let path = root.appending(BytePath("\(major)/bin/pg_restore"))
            if isExecutable(path) { return RestoreProgram(path: path, major: major) }
        }
        for directory in (searchPath ?? "").split(separator: ":") where directory.hasPrefix("/") {
            let path = BytePath(String(directory)).appending(BytePath("pg_restore"))
            guard isExecutable(path) else { continue }
            let (output, failure) = try ChildProgram.run(
                ProgramCall(path, [BytePath("--version")]),
                limit: 4096
            )
            if failure == nil, let major = major(ofVersion: String(decoding: output, as: UTF8.self)) {
                return RestoreProgram(path: path, major: major)
            }
        }
        throw SyncError(
            .configuration,
            "cannot read an archive of pg_dump",
            why: "pg_restore is not installed",
            hint: "apt-get install postgresql-client, or make a plain dump: pg_dump without -F"
        )
    }

    /// `pg_restore (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    static func major(ofVersion text: String) -> Int? {
        let words = text.split(separator: " ")
        guard words.count >= 3, words[0] == "pg_restore" else { return nil }
        return Int(words[2].prefix { $0.isNumber })
    }

    private static func isExecutable(_ path: BytePath) -> Bool {
        path.withEntryName { access($0, X_OK) } == 0
    }

    private static func directories(in path: BytePath) -> [BytePath] {
        guard let directory = try? HeldDirectory.openRoot(path) else { return [] }
        defer { directory.close() }
        let listing = ListingBuffer()
        var names: [BytePath] = []
        while let count = try? directory.list(into: listing), count > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) { names.append(BytePath(name: entry.name)) }
        }
        return names
    }

    /// The error of a run that failed.
    func error(_ file: DumpFile, _ failure: String) -> SyncError {
        let isTooOld = failure.contains("unsupported version")
        return SyncError(
            .unusable,
            "cannot read the archive \(file.path)",
            why: failure,
            hint: isTooOld
                ? "it was made by a newer pg_dump than \(path) (\(major)): install postgresql-client of that version"
                : "copy or make the dump again, and compare its size and checksum with the original"
        )
    }
}
