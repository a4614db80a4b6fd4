internal import MediaModel

extension Check {
    /// Fewer descriptors are refused by every run, and slow a large one down.
    private static let descriptorsMin = 64
    private static let descriptorsWanted = 1024

    static let host = [
        Check("descriptors") { facts, name in
            let limit = facts.host.descriptors
            let remedy = "raise the limit: ulimit -n 4096, or LimitNOFILE= in a systemd unit"
            if limit < descriptorsMin {
                let what = "\(limit) files at once, and \(descriptorsMin) are needed"
                return Finding(name, what, verdict: .problem(.exhausted), remedy: remedy)
            }
            let what = "\(limit) files at once"
            return limit < descriptorsWanted
                ? Finding(name, what, verdict: .warning, remedy: remedy) : Finding(name, what)
        },
        Check("run state") { facts, name in
            guard let state = facts.host.state else {
                return Finding(
                    name,
                    "no place",
                    verdict: .problem(.configuration),
                    remedy: "set MEDIASYNC_STATE to a directory"
                )
            }
            guard facts.host.isStateWritable else {
                return Finding(
                    name,
                    "\(state.value) cannot be written",
                    origin: state.origin,
                    verdict: .warning,
                    remedy: "give the directory to this user, or name another one with MEDIASYNC_STATE"
                )
            }
            return Finding(name, state.value, origin: state.origin)
        },
    ]

    static let tools = ToolFacts.Tool.allCases.map { tool in
        Check(tool.rawValue) { facts, name in
            guard let found = facts.tools.first(where: { $0.tool == tool }) else { return nil }
            guard let place = found.place else {
                return Finding(name, "not found", verdict: .warning, remedy: tool.remedy)
            }
            guard let version = found.version else {
                let what = "\(place.value) does not tell its version"
                return Finding(name, what, origin: place.origin, verdict: .warning, remedy: tool.remedy)
            }
            return Finding(name, "\(version) (\(place.value))", origin: place.origin)
        }
    }
}

extension ToolFacts.Tool {
    fileprivate var remedy: String {
        switch self {
        case .ffmpeg, .ffprobe: "Mastodon needs it for videos and sounds: apt install ffmpeg"
        case .libvips: "Mastodon needs it for pictures: apt install libvips42"
        }
    }
}
