internal import Glibc
internal import MediaModel
internal import Programs
internal import Storage

/// Makes a dump of the database by PostgreSQL's own program. Passwords go by its environment, never by its arguments.
struct DumpProgram {
    let options: ExportOptions.DatabaseDump

    private var name: String { options.isCluster ? "pg_dumpall" : "pg_dump" }

    /// The newest below `/usr/lib/postgresql`, else the one in the path: a newer one dumps older servers.
    private func find() throws(SyncError) -> BytePath {
        let root = BytePath("/usr/lib/postgresql")
        var majors: [Int] = []
        if let directory = try? HeldDirectory.openRoot(root) {
            defer { directory.close() }
            majors = ((try? directory.names(limit: 1000)) ?? []).compactMap { Int($0.description) }
        }
        let newest = majors.sorted(by: >).map { root.appending(BytePath("\($0)/bin/\(name)")) }
        let inPath = (options.environment["PATH"] ?? "").split(separator: ":").filter { $0.hasPrefix("/") }
            .map { BytePath(String($0)).appending(BytePath(name)) }
        let found = (newest + inPath).first { path in path.withEntryName { access($0, X_OK) } == 0 }
        if let found { return found }
        throw SyncError(
            .configuration,
            "cannot dump the database",
            why: "\(name) is not installed",
            hint: "apt-get install postgresql-client"
        )
    }

    /// Writes the dump to a file. Stops when its task is cancelled.
    /// - Parameter wrote: told of every piece.
    func run(into file: borrowing OpenFile, wrote: (Int) -> Void) throws(SyncError) {
        // A plain dump that makes its database: what reads it need not be told the name.
        let arguments = options.isCluster ? ["--no-password"] : ["--no-password", "--create", "--format=plain"]
        let call = ProgramCall(try find(), arguments.map { BytePath($0) }, environment: options.environment)
        let program = try ChildProgram(call)
        defer { program.end() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var commenter = RoleCommenter()
        func write(_ bytes: UnsafeRawBufferPointer) throws(SyncError) {
            do throws(FileFault) { try file.write(bytes) } catch {
                throw error.syncError("could not write \(BackupLayout.dump)")
            }
            wrote(bytes.count)
        }
        func writeAll(_ bytes: [UInt8]) throws(SyncError) {
            let fault = bytes.withUnsafeBytes { bytes -> SyncError? in
                do throws(SyncError) {
                    try write(bytes)
                    return nil
                } catch { return error }
            }
            if let fault { throw fault }
        }
        while true {
            let count = try program.read(into: buffer)
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if options.isCluster { try writeAll(commenter.pass(piece)) } else { try write(piece) }
        }
        if options.isCluster { try writeAll(commenter.finish()) }
        if let failure = try program.failure() {
            throw SyncError(
                .database,
                "cannot dump the database",
                why: "\(name): \(failure)",
                hint: options.isCluster
                    ? "a dump of the whole server needs its superuser; leave --cluster out to dump Mastodon's database alone"
                    : "check Mastodon's settings, and that its role may read all tables"
            )
        }
    }
}
