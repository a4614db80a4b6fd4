extension MediaMeta {
    private static let keys = ["focus", "colors", "original", "small"]

    /// The text for the row: what is there keeps its place and, where this value has nothing newer, its spelling. New keys
    /// follow. Keys that Mastodon does not know are dropped, and a text that is no object counts as empty.
    /// - Parameter existing: the row's present text, if it has one.
    package func json(mergedInto existing: String?) -> String {
        let fresh = [("colors", colors?.json), ("original", original?.json), ("small", small?.json)]
        var members =
            existing.flatMap { JSONObjectScanner.members(of: $0) }?.filter { Self.keys.contains($0.key) } ?? []
        for (key, value) in fresh {
            guard let value else { continue }
            if let index = members.firstIndex(where: { $0.key == key }) {
                members[index].value = value
            } else {
                members.append((key, value))
            }
        }
        return Self.object(members)
    }

    fileprivate static func object(_ members: [(key: String, value: String)]) -> String {
        "{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// A number as Ruby prints it: the shortest that reads back the same, and always with a fraction.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        let text = value.description
        guard let mark = text.firstIndex(of: "e") else {
            // Ruby goes over to exponents below 0.0001 and from 1e16 on; so does Swift.
            return text
        }
        let mantissa = text[..<mark]
        let exponent = text[text.index(after: mark)...]
        return (mantissa.contains(".") ? String(mantissa) : "\(mantissa).0") + "e" + exponent
    }
}

extension MediaMeta.Colors {
    fileprivate var json: String {
        MediaMeta.object([
            ("background", "\"\(background)\""), ("foreground", "\"\(foreground)\""), ("accent", "\"\(accent)\""),
        ])
    }
}

extension PixelSize {
    fileprivate var json: String {
        MediaMeta.object([
            ("width", "\(width)"), ("height", "\(height)"), ("size", "\"\(width)x\(height)\""),
            ("aspect", MediaMeta.number(Double(width) / Double(height))),
        ])
    }
}

extension MediaMeta.Original {
    fileprivate var json: String {
        switch self {
        case .image(let size): size.json
        case .movie(let movie):
            MediaMeta.object(
                known([
                    ("width", movie.size.map { "\($0.width)" }), ("height", movie.size.map { "\($0.height)" }),
                    ("frame_rate", movie.frameRate.map { "\"\($0)\"" }),
                    ("duration", movie.duration.map(MediaMeta.number)), ("bitrate", movie.bitrate.map { "\($0)" }),
                ])
            )
        case .audio(let duration, let bitrate):
            MediaMeta.object(
                known([("duration", duration.map(MediaMeta.number)), ("bitrate", bitrate.map { "\($0)" })])
            )
        }
    }

    private func known(_ members: [(String, String?)]) -> [(key: String, value: String)] {
        members.compactMap { key, value in value.map { (key, $0) } }
    }
}
