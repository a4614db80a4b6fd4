/// The three colours that a player takes from a thumbnail: background, foreground and accent.
enum ColorExtractor {
    /// - Parameter picture: the thumbnail within 100 x 100 pixels.
    static func colors(of picture: PixelBuffer) -> MediaMeta.Colors? {
        let edge = ColorHistogram(picture) { isEdge(x: $0, y: $1, of: picture.size) }
        let whole = ColorHistogram(picture) { _, _ in true }
        return colors(background: edge.palette, foreground: whole.palette)
    }

    /// The outer quarter on every side.
    private static func isEdge(x: Int, y: Int, of size: PixelSize) -> Bool {
        let (across, down) = (size.width / 4, size.height / 4)
        return x < across || y < down || x >= size.width - across || y >= size.height - down
    }

    /// - Parameters:
    ///   - background: the most frequent colours of the edge, most frequent first.
    ///   - foreground: those of the whole picture.
    static func colors(background palette: [LabColor], foreground: [LabColor]) -> MediaMeta.Colors? {
        guard let background = palette.first ?? foreground.first else { return nil }
        var chosen: [LabColor] = []
        // The first may be chosen with less contrast: it may become the accent.
        for contrast in [2.0, 3.0] {
            if let color = farthest(from: background, contrast: contrast, in: foreground, except: chosen) {
                chosen.append(color)
            }
        }
        for step in 0..<(2 - chosen.count) { chosen.append(background.shifted(by: 35 + Double(step) * 15)) }
        let isSecond = background.contrast(chosen[1]) > background.contrast(chosen[0])
        let isSecondAccent = chosen[1].hsl.saturation > chosen[0].hsl.saturation
        return MediaMeta.Colors(
            background: background.hex,
            foreground: chosen[isSecond ? 1 : 0].hex,
            accent: chosen[isSecondAccent ? 1 : 0].hex
        )
    }

    private static func farthest(
        from background: LabColor,
        contrast: Double,
        in palette: [LabColor],
        except chosen: [LabColor]
    ) -> LabColor? {
        var best: (color: LabColor, distance: Double)?
        for color in palette where background.contrast(color) >= contrast && !chosen.contains(color) {
            let distance = background.distance(color)
            if distance > best?.distance ?? 0 { best = (color, distance) }
        }
        return best?.color
    }
}

/// How often the colours of a picture occur, in ten steps of each component.
struct ColorHistogram {
    private static let steps = 10
    private static let paletteMax = 10
    private var counts = [Int](repeating: 0, count: steps * steps * steps)

    init(_ picture: PixelBuffer, where includes: (Int, Int) -> Bool) {
        for y in 0..<picture.size.height {
            for x in 0..<picture.size.width where includes(x, y) {
                let color = picture.color(x: x, y: y)
                counts[Self.index(color.red, color.green, color.blue)] += 1
            }
        }
    }

    /// Green first, then red: the order in which libvips meets the colours.
    private static func index(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Int {
        (step(green) * steps + step(red)) * steps + step(blue)
    }

    private static func step(_ component: UInt8) -> Int { Int(component) * steps / 256 }

    /// The most frequent colours, most frequent first, each in the middle of its step. Always ten: where a picture has
    /// fewer, colours that it does not have follow, and those are the ones that libvips' search for maxima would name.
    var palette: [LabColor] {
        // In ascending order; of equal counts the later one is the larger.
        var top: [Int] = []
        for index in counts.indices {
            if top.count == Self.paletteMax {
                if counts[index] <= counts[top[0]] { continue }
                top.removeFirst()
            }
            top.insert(index, at: top.firstIndex { counts[$0] > counts[index] } ?? top.endIndex)
        }
        return top.reversed().map { index in
            LabColor(
                red: Self.middle(index / Self.steps % Self.steps),
                green: Self.middle(index / (Self.steps * Self.steps)),
                blue: Self.middle(index % Self.steps)
            )
        }
    }

    private static func middle(_ step: Int) -> Double { (Double(step) + 0.5) * 256 / Double(steps) }
}
