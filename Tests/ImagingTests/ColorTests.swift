import MediaModel
import MediasyncTesting
import Testing

@testable import Imaging

@Suite struct ColorTests {
    /// Pairs that are published with the formula (Sharma, Wu and Dalal), among them those that most programs get wrong.
    @Test(
        "distances are those of CIEDE2000",
        arguments: [
            ([50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425), ([50, 3.1571, -77.2803], [50, 0, -82.7485], 2.8615),
            ([50, 0, 0], [50, -1, 2], 2.3669), ([50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792),
            ([50, 2.49, -0.001], [50, -2.49, 0.0011], 7.2195), ([50, 2.5, 0], [50, 0, -2.5], 4.3065),
            ([50, 2.5, 0], [73, 25, -18], 27.1492),
            ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
            ([22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373),
            ([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082),
        ] as [([Double], [Double], Double)]
    )
    func distances(one: [Double], two: [Double], expected: Double) {
        let first = Lab(l: one[0], a: one[1], b: one[2])
        let second = Lab(l: two[0], a: two[1], b: two[2])
        #expect(abs(first.distance(second) - expected) < 0.0001, "\(first.distance(second))")
        #expect(abs(second.distance(first) - expected) < 0.0001, "\(second.distance(first))")
    }

    @Test("the corners of sRGB lie where they should")
    func corners() {
        let white = LabColor(red: 255, green: 255, blue: 255).lab
        #expect(abs(white.l - 100) < 0.01 && abs(white.a) < 0.01 && abs(white.b) < 0.02)
        let red = LabColor(red: 255, green: 0, blue: 0).lab
        #expect(abs(red.l - 53.24) < 0.02 && abs(red.a - 80.09) < 0.05 && abs(red.b - 67.2) < 0.05)
    }

    @Test("contrast goes from 1 to 21")
    func contrast() {
        let white = LabColor(red: 255, green: 255, blue: 255)
        let black = LabColor(red: 0, green: 0, blue: 0)
        #expect(abs(white.contrast(black) - 21) < 0.01)
        #expect(white.contrast(white) == 1)
        let grey = LabColor(red: 118, green: 118, blue: 118)
        #expect(abs(grey.contrast(white) - 4.54) < 0.02)
    }

    @Test("missing colours are made from the background, lighter where it is dark")
    func made() {
        let blue = LabColor(red: 12.8, green: 12.8, blue: 140.8)
        let colors = ColorExtractor.colors(background: [blue], foreground: [])
        #expect(colors?.background == "#0c0c8c")
        let other = LabColor(red: 243.2, green: 243.2, blue: 243.2)
        #expect(ColorExtractor.colors(background: [other], foreground: [])?.foreground == "#737373")
        #expect(ColorExtractor.colors(background: [], foreground: []) == nil)
    }

    @Test("foreground has more contrast, the accent is the more colourful one")
    func chosen() {
        let black = LabColor(red: 12.8, green: 12.8, blue: 12.8)
        let white = LabColor(red: 243.2, green: 243.2, blue: 243.2)
        let red = LabColor(red: 243.2, green: 12.8, blue: 12.8)
        let colors = ColorExtractor.colors(background: [black], foreground: [black, white, red])
        #expect(colors == MediaMeta.Colors(background: "#0c0c0c", foreground: "#f3f3f3", accent: "#f30c0c"))
    }

    @Test(
        "palettes are those that libvips finds, in its order",
        .enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools"),
        arguments: ["smptebars=size=100x75", "smptebars=size=100x20", "color=red:size=100x75", "testsrc2=size=96x100"]
    )
    func palette(source: String) async throws {
        let name = String(source.filter { $0.isLetter || $0.isNumber })
        let path = try await Samples.path("palette-\(name).png") { path in
            try Samples.ffmpeg(["-f", "lavfi", "-i", source, "-frames:v", "1", "-pix_fmt", "rgb24", Samples.text(path)])
        }
        let place = try TemporaryDirectory()
        let cube = Samples.text(place.path / "cube.v")
        let flat = Samples.text(place.path / "flat.v")
        try Samples.vips(["hist_find_ndim", Samples.text(path), cube, "--bins", "10"])
        try Samples.vips(["bandunfold", cube, flat])
        let found = try Samples.vips(["max", flat, "--size", "10", "--x-array", "--y-array"]).lines
        let rows = found.prefix(2).map { $0.split(separator: " ").compactMap { Int($0) } }
        let expected = zip(rows[0], rows[1]).reversed().map { x, y in
            [x / 10, y, x % 10].map { (Double($0) + 0.5) * 256 / 10 }
        }
        let bytes = try Disk.read(path)
        let workbench = try Workbench()
        let request = try workbench.request(bytes, .attachment)
        let media = try MediaBytes(descriptor: request.input, count: request.inputBytes)
        let pixels = try VipsLibrary.open().pixels(media, box: PixelSize(width: 100, height: 100))
        let palette = ColorHistogram(pixels) { _, _ in true }.palette
        #expect(palette.map { [$0.red, $0.green, $0.blue] } == expected)
    }
}
