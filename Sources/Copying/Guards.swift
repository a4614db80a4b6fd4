internal import MediaModel
internal import Storage
internal import Wire

/// What is checked before a run that could destroy something, and the hints for a source that is a level off.
struct Guards {
    /// A root is believed to be no media root after this many names.
    private static let namesMax = 10_000

    let source: HeldDirectory
    let sourcePath: BytePath
    let target: HeldDirectory

    /// The names in a directory, the first ones of a very large one; own temporaries are left out.
    private static func names(in directory: HeldDirectory) throws(FileFault) -> Set<BytePath> {
        let listing = ListingBuffer()
        var names: Set<BytePath> = []
        try directory.rewind()
        while names.count < namesMax, try directory.list(into: listing) > 0 {
            var cursor = 0
            while let entry = listing.next(&cursor) {
                if !TemporaryName.isOwn(entry.bytes) { names.insert(BytePath(name: entry.name)) }
            }
        }
        try directory.rewind()
        return names
    }

    private static func names(in folder: String, of directory: HeldDirectory) -> Set<BytePath>? {
        try? BytePath(folder).withEntryName { (name) throws(FileFault) -> Set<BytePath> in
            let inner = try directory.openDirectory(name)
            defer { inner.close() }
            return try names(in: inner)
        }
    }

    /// Refuses a deletion from a source that looks unmounted or wrong. Nothing was changed when it throws.
    func checkDeletion() throws(SyncError) {
        let sourceNames = try Self.listed(source, sourcePath)
        if sourceNames.isEmpty { throw Self.emptySource(sourcePath) }
        guard target.isOpen, !MediaLayout.looksLikeRoot(sourceNames) else { return }
        if MediaLayout.looksLikeRoot(try Self.listed(target, BytePath("the target"))) {
            throw Self.wrongSource(sourcePath)
        }
    }

    /// What guards on another machine want to know of a source.
    func facts() -> SourceFacts {
        let names = (try? Self.names(in: source)) ?? []
        return SourceFacts(isEmpty: names.isEmpty, looksLikeRoot: MediaLayout.looksLikeRoot(names))
    }

    /// The same refusals for a source on another machine.
    static func checkDeletion(from facts: SourceFacts, to target: HeldDirectory) throws(SyncError) {
        if facts.isEmpty { throw emptySource(BytePath("on the other machine")) }
        guard target.isOpen, !facts.looksLikeRoot else { return }
        if MediaLayout.looksLikeRoot(try listed(target, BytePath("the target"))) {
            throw wrongSource(BytePath("on the other machine"))
        }
    }

    private static func emptySource(_ path: BytePath) -> SyncError {
        SyncError(
            .refused,
            "the source \(path) is empty and --delete would empty the target",
            why: "an empty source is most often a disk that is not mounted",
            hint: "mount the source; to empty the target on purpose, delete its contents yourself"
        )
    }

    private static func wrongSource(_ path: BytePath) -> SyncError {
        SyncError(
            .refused,
            "the target is a media root and the source \(path) does not look like one",
            why: "--delete would remove all media",
            hint: "name the directory that holds media_attachments/, accounts/ and cache/ as the source"
        )
    }

    private static func listed(_ directory: HeldDirectory, _ path: BytePath) throws(SyncError) -> Set<BytePath> {
        do throws(FileFault) {
            return try names(in: directory)
        } catch {
            throw SyncError(.unusable, "cannot list \(path)", why: error.reason, hint: "nothing was changed")
        }
    }

    /// Advice for a source one level above or below a media root.
    func layoutHint() -> Notice? {
        guard let children = try? Self.names(in: source) else { return nil }
        let own = sourcePath.lastComponent
        let inner = Self.names(in: "system", of: source)
        switch MediaLayout.position(ownName: own, children: children, childrenOfSystem: inner) {
        case .above(let folder):
            return Notice(
                .warning,
                "\(sourcePath) looks one level too high for a media directory",
                hint:
                    "the media root is \(sourcePath.appending(folder)); the whole directory is copied as asked"
            )
        case .below:
            return Notice(
                .warning,
                "\(sourcePath) looks one level too low: it is a part of a media directory",
                hint: "the media root is its parent; only this part is copied, as asked"
            )
        case .root, .elsewhere:
            return nil
        }
    }
}
