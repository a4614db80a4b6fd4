package import MediaModel
internal import Storage

/// Looks at the media root: what is in it, who may do what, how much room there is. Blocks: for a thread of our own.
package struct MediaProbe {
    /// A media tree is ten deep.
    private static let depthMax = 12
    /// Web servers' users on Debian and elsewhere.
    private static let webUsers = ["www-data", "nginx", "http", "caddy", "apache"]
    /// What is no web server's matter.
    private static let privateFolders: Set<String> = ["backups", "imports"]

    private let root: Sourced
    private let path: BytePath
    private let store: LocalMediaStore

    /// - Parameters:
    ///   - root: the directory and who names it, or why there is none.
    ///   - webUser: whom the web server runs as; by default one that is usual and known here.
    package static func run(
        _ root: Result<(path: BytePath, origin: String), SyncError>,
        webUser: String?
    ) -> MediaFacts {
        var facts = MediaFacts()
        do throws(SyncError) {
            let root = try root.get()
            facts.root = Sourced(root.path.description, root.origin)
            do throws(FileFault) {
                let store = try LocalMediaStore(root.path)
                let probe = MediaProbe(root: Sourced("\(root.path)", root.origin), path: root.path, store: store)
                try probe.look(&facts)
                try probe.tryReading(as: webUser, &facts)
            } catch {
                throw SyncError(
                    .unusable,
                    "cannot look at \(root.path)",
                    why: error.reason,
                    hint: "check --media-root; if it is a mount, mount it first"
                )
            }
        } catch {
            facts.error = error
        }
        return facts
    }

    private func look(_ facts: inout MediaFacts) throws(FileFault) {
        let own = try store.directory.metadata()
        var names: Set<BytePath> = []
        try store.list(.root) { name, _ in if names.count < 1000 { names.insert(name) } }
        facts.names = names
        for folder in MediaLayout.folders.map({ BytePath($0) }) where names.contains(folder) {
            guard let metadata = try metadata(folder) else { continue }
            if metadata.kind == .symlink { facts.links.append(folder) }
            if metadata.device != own.device { facts.mounts.append(folder) }
        }
        let space = try store.directory.space()
        facts.isReadOnlyMount = space.isReadOnly
        facts.isWritable = store.directory.isWritable
        facts.space.bytes = space.bytes
        facts.space.freeBytes = space.freeBytes
        facts.space.inodes = space.inodes
        facts.space.freeInodes = space.freeInodes
        facts.owner =
            "\(AccountNames.shown(user: own.owner)):\(AccountNames.shown(group: own.group)) "
            + Check.octal(own.permissions)
    }

    private func metadata(_ path: BytePath) throws(FileFault) -> Metadata? {
        do throws(FileFault) {
            return try store.directory.withParent(of: path) { (directory, name) throws(FileFault) in
                try directory.lookUp(name)
            }
        } catch  where error.kind == .missing {
            return nil
        }
    }

    // MARK: The web server

    /// Follows the way to one file of each kind with the eyes of the web server's user.
    private func tryReading(as name: String?, _ facts: inout MediaFacts) throws(FileFault) {
        let candidates = name.map { [$0] } ?? Self.webUsers
        guard let user = candidates.first(where: { UserRights(named: $0) != nil }),
            let rights = UserRights(named: user)
        else { return }
        facts.webUser = BytePath.escaped(Array(user.utf8))
        facts.blocked = try blockedAbove(rights)
        if facts.blocked != nil { return }
        let folders = MediaLayout.folders.filter { !Self.privateFolders.contains($0) && $0 != "cache" }
        for parent in [BytePath.root, MediaLayout.cacheFolder] {
            for folder in folders where facts.blocked == nil {
                try follow(parent.appending(BytePath(folder)), rights, &facts)
            }
        }
    }

    /// The directories that lead to the root, links in its path resolved.
    private func blockedAbove(_ rights: UserRights) throws(FileFault) -> MediaFacts.Blocked? {
        let whole = path.resolvingLinks
        var above = BytePath("/")
        for component in [[]] + whole.components.map({ Array($0) }) {
            if !component.isEmpty {
                let slash = above.bytes.count > 1 ? "/" : ""
                above = BytePath(bytes: above.bytes + Array(slash.utf8) + component)
            }
            if !rights.mayPass(try Metadata(ofUserPath: above)) { return blocked(above) }
        }
        return nil
    }

    private func blocked(_ path: BytePath) -> MediaFacts.Blocked {
        MediaFacts.Blocked(path: path, hasAccessList: UserRights.hasAccessList(path))
    }

    /// Always the first entry by name, down to a file.
    private func follow(_ start: BytePath, _ rights: UserRights, _ facts: inout MediaFacts) throws(FileFault) {
        var place = start
        for _ in 0..<Self.depthMax {
            guard let metadata = try metadata(place) else { return }
            // A file that its owner alone may read is hidden on purpose: of a suspended account, of a deleted post.
            if metadata.kind == .file, metadata.mode & 0o077 == 0 { return }
            guard metadata.kind == .file || metadata.kind == .directory else { return }
            if !rights.mayPass(metadata) {
                facts.blocked = blocked(BytePath(bytes: path.bytes + [UInt8(ascii: "/")] + place.bytes))
                return
            }
            if metadata.kind == .file {
                facts.sampledFiles += 1
                return
            }
            var first: BytePath?
            do throws(FileFault) {
                try store.list(place) { name, _ in first = first.map { min($0, name) } ?? name }
            } catch  where error.kind == .denied {
                // This process itself may not look: nothing is known of what is below.
                return
            }
            guard let first else { return }
            place = place.appending(first)
        }
    }
}
