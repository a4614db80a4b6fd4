internal import MediaModel

extension Check {
    /// Shares of a file system that are still free.
    private static let lowShare = 0.05
    private static let noShare = 0.01

    static let media = [
        Check("media root") { facts, name in
            let media = facts.media
            if let error = media.error { return Finding(name, error, origin: media.root?.origin) }
            guard let root = media.root else { return nil }
            let hasFolder = MediaLayout.folders.contains { media.names.contains(BytePath($0)) }
            guard !hasFolder else { return Finding(name, root.value, origin: root.origin) }
            return Finding(
                name,
                media.names.isEmpty ? "\(root.value) is empty" : "\(root.value) has none of Mastodon's folders",
                origin: root.origin,
                verdict: .problem(.unusable),
                remedy: "check --media-root, and that its disk is mounted"
            )
        },
        onRoot("folders") { media, _, name in
            if let link = media.links.first {
                return Finding(
                    name,
                    "\(link) is a link",
                    verdict: .warning,
                    remedy: "links below the media root are not followed: mount the other place there (mount --bind)"
                )
            }
            guard !media.mounts.isEmpty else { return Finding(name, "all on one file system") }
            let list = media.mounts.map(\.description).joined(separator: ", ")
            return Finding(
                name,
                "on other file systems: \(list)",
                verdict: .warning,
                remedy: "--trash of cleanup must be on the file system of the files: clean up these without it"
            )
        },
        onRoot("writing") { media, root, name in
            if media.isReadOnlyMount {
                return Finding(name, "mounted read-only", verdict: .problem(.unusable), remedy: "mount it read-write")
            }
            guard media.isWritable else {
                return Finding(
                    name,
                    "\(root.value) belongs to \(media.owner), and this user may not write there",
                    verdict: .problem(.unusable),
                    remedy: "run as its owner (sudo -u ...) or as root"
                )
            }
            return Finding(name, "allowed; the root belongs to \(media.owner)")
        },
        onRoot("web server") { media, _, name in
            guard let user = media.webUser else {
                return Finding(
                    name,
                    "no user of a web server is known here",
                    verdict: .warning,
                    remedy: "name the user that nginx runs as with --web-user, if it is on this machine"
                )
            }
            guard let blocked = media.blocked else {
                return Finding(name, "\(user) can read the media (\(media.sampledFiles) files tried)")
            }
            if blocked.hasAccessList {
                return Finding(
                    name,
                    "the mode of \(blocked.path) keeps \(user) out; its access list may not",
                    verdict: .warning,
                    remedy: "try it: sudo -u \(user) ls \(blocked.path)"
                )
            }
            return Finding(
                name,
                "\(user) cannot read \(blocked.path)",
                verdict: .problem(.unusable),
                remedy: "give others r (and x on directories): chmod o+rX, or put \(user) into the owner's group"
            )
        },
        onRoot("space") { media, _, name in
            share(
                media.space.freeBytes,
                of: media.space.bytes,
                name,
                { ByteCount.describe(Int64(clamping: $0)) },
                "make room: mediasync cleanup --days 7, or a larger disk"
            )
        },
        onRoot("inodes") { media, _, name in
            guard media.space.inodes > 0 else { return Finding(name, "no fixed number") }
            return share(
                media.space.freeInodes,
                of: media.space.inodes,
                name,
                { String($0) },
                "fewer files or a file system with more inodes: mediasync cleanup --days 7"
            )
        },
    ]

    private static func onRoot(
        _ name: String,
        _ judge: @escaping @Sendable (MediaFacts, Sourced, String) -> Finding?
    ) -> Check {
        Check(name) { facts, name in
            guard facts.media.error == nil, let root = facts.media.root else { return nil }
            return judge(facts.media, root, name)
        }
    }

    private static func share(
        _ free: UInt64,
        of all: UInt64,
        _ name: String,
        _ text: (UInt64) -> String,
        _ remedy: String
    ) -> Finding {
        let share = all == 0 ? 0 : Double(free) / Double(all)
        let value = "\(text(free)) of \(text(all)) free (\(Int((share * 100).rounded(.down)))%)"
        if share < noShare { return Finding(name, value, verdict: .problem(.exhausted), remedy: remedy) }
        return share < lowShare
            ? Finding(name, value, verdict: .warning, remedy: remedy) : Finding(name, value)
    }
}
