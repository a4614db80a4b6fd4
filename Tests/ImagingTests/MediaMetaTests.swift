import Testing

@testable import Imaging

@Suite struct MediaMetaTests {
    static let image = MediaMeta(
        original: .image(PixelSize(width: 1920, height: 1080)),
        small: PixelSize(width: 640, height: 360)
    )
    static let imageText =
        #""original":{"width":1920,"height":1080,"size":"1920x1080","aspect":1.7777777777777777},"#
        + #""small":{"width":640,"height":360,"size":"640x360","aspect":1.7777777777777777}"#

    @Test(
        "what is no object counts as empty",
        arguments: [nil, "", "null", "[1]", "{", #"{"focus":}"#, #"{"focus":1} x"#, String(repeating: "[", count: 100)]
    )
    func noObject(existing: String?) {
        #expect(Self.image.json(mergedInto: existing) == "{\(Self.imageText)}")
    }

    @Test("the focus keeps its place and its spelling; unknown keys go")
    func focus() {
        let existing = #"{"x":[{"a":"}"}],"focus":{"x":0.50,"y":-1e-1},"original":{"width":1},"version":"1"}"#
        #expect(
            Self.image.json(mergedInto: existing) == #"{"focus":{"x":0.50,"y":-1e-1},"# + Self.imageText + "}"
        )
    }

    @Test("keys that are there keep their place")
    func order() {
        let existing = #"{ "small" : {"width":1}, "focus":{"x":0.0,"y":0.0} }"#
        let square = MediaMeta(original: .image(PixelSize(width: 2, height: 2)), small: PixelSize(width: 1, height: 1))
        #expect(
            square.json(mergedInto: existing)
                == #"{"small":{"width":1,"height":1,"size":"1x1","aspect":1.0},"focus":{"x":0.0,"y":0.0},"#
                + #""original":{"width":2,"height":2,"size":"2x2","aspect":1.0}}"#
        )
    }

    @Test("a thumbnail adds its size and colours and leaves the original's alone")
    func thumbnail() {
        var meta = MediaMeta(small: PixelSize(width: 4, height: 2))
        meta.colors = MediaMeta.Colors(background: "#000000", foreground: "#ffffff", accent: "#ff0000")
        #expect(
            meta.json(mergedInto: #"{"original":{"duration":3.5,"bitrate":128000}}"#)
                == #"{"original":{"duration":3.5,"bitrate":128000},"#
                + ##""colors":{"background":"#000000","foreground":"#ffffff","accent":"#ff0000"},"##
                + #""small":{"width":4,"height":2,"size":"4x2","aspect":2.0}}"#
        )
    }

    @Test(
        "numbers are written as Ruby writes them",
        arguments: [
            (1.0, "1.0"), (0.1, "0.1"), (12.345, "12.345"), (1e15, "1000000000000000.0"), (1e16, "1.0e+16"),
            (0.0001, "0.0001"), (0.00001, "1.0e-05"), (2.5e-7, "2.5e-07"), (1.5e300, "1.5e+300"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) {
        let meta = MediaMeta(original: .audio(duration: value, bitrate: nil))
        #expect(meta.json(mergedInto: nil) == #"{"original":{"duration":\#(text)}}"#)
    }

    @Test("a video is described by what is known of it")
    func movie() {
        let movie = MediaMeta.Movie(
            size: PixelSize(width: 64, height: 36),
            frameRate: "30000/1001",
            duration: 2,
            bitrate: 900
        )
        #expect(
            MediaMeta(original: .movie(movie)).json(mergedInto: nil)
                == #"{"original":{"width":64,"height":36,"frame_rate":"30000/1001","duration":2.0,"bitrate":900}}"#
        )
    }
}
