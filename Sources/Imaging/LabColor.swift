internal import Glibc

/// A colour of sRGB with components of 0 to 255, and how it compares with others to the eye.
struct LabColor: Hashable {
    var red: Double
    var green: Double
    var blue: Double

    /// `#rrggbb`, fractions cut off.
    var hex: String {
        "#"
            + [red, green, blue].map { component in
                let digits = String(UInt8(max(0, min(255, component))), radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    private static func linear(_ component: Double) -> Double {
        let value = component / 255
        return value > 0.040_45 ? pow((value + 0.055) / 1.055, 2.4) : value / 12.92
    }

    /// X, Y and Z for daylight, white being about 1.
    private var xyz: (x: Double, y: Double, z: Double) {
        let (r, g, b) = (Self.linear(red), Self.linear(green), Self.linear(blue))
        return (
            r * 0.4124 + g * 0.3576 + b * 0.1805, r * 0.2126 + g * 0.7152 + b * 0.0722,
            r * 0.0193 + g * 0.1192 + b * 0.9505
        )
    }

    /// The W3C's contrast, from 1 to 21.
    func contrast(_ other: LabColor) -> Double {
        let (one, two) = (xyz.y + 0.05, other.xyz.y + 0.05)
        return max(one, two) / min(one, two)
    }

    var lab: Lab {
        func curve(_ value: Double) -> Double { value > 0.008856 ? cbrt(value) : 7.787 * value + 16.0 / 116 }
        let (x, y, z) = xyz
        let (fx, fy, fz) = (curve(x / 0.95047), curve(y), curve(z / 1.08883))
        return Lab(l: 116 * fy - 16, a: 500 * (fx - fy), b: 200 * (fy - fz))
    }

    /// Hue in degrees, saturation and lightness in percent, rounded.
    var hsl: (hue: Double, saturation: Double, lightness: Double) {
        let (r, g, b) = (red / 255, green / 255, blue / 255)
        let (most, least) = (max(r, g, b), min(r, g, b))
        let lightness = (most + least) / 2
        guard most > least else { return (0, 0, (lightness * 100).rounded()) }
        let spread = most - least
        let saturation = lightness >= 0.5 ? spread / (2 - most - least) : spread / (most + least)
        let sector =
            if most == r { (g - b) / spread + (g < b ? 6 : 0) } else if most == g { (b - r) / spread + 2 } else {
                (r - g) / spread + 4
            }
        return ((sector * 60).rounded(), (saturation * 100).rounded(), (lightness * 100).rounded())
    }

    private init(hue: Double, saturation: Double, lightness: Double) {
        let (h, s, l) = (hue / 360, saturation / 100, lightness / 100)
        let high = l < 0.5 ? l * (s + 1) : l + s - l * s
        let low = 2 * l - high
        func component(_ turn: Double) -> Double {
            let t = turn < 0 ? turn + 1 : turn > 1 ? turn - 1 : turn
            let value =
                if t < 1.0 / 6 { low + (high - low) * 6 * t } else if t < 0.5 { high } else if t < 2.0 / 3 {
                    low + (high - low) * (2.0 / 3 - t) * 6
                } else { low }
            return (value * 255).rounded()
        }
        self.init(red: component(h + 1.0 / 3), green: component(h), blue: component(h - 1.0 / 3))
    }

    init(red: Double, green: Double, blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Lighter where this colour is dark, darker where it is light.
    func shifted(by points: Double) -> LabColor {
        let (hue, saturation, lightness) = hsl
        let moved = lightness < 50 ? min(100, lightness + points) : max(0, lightness - points)
        return LabColor(hue: hue, saturation: saturation, lightness: moved)
    }

    /// How different two colours look: CIEDE2000.
    func distance(_ other: LabColor) -> Double { lab.distance(other.lab) }
}

/// A colour as the eye orders them: lightness, and two axes of hue.
struct Lab {
    var l: Double
    var a: Double
    var b: Double

    /// How different two colours look: CIEDE2000.
    func distance(_ other: Lab) -> Double {
        let (one, two) = (self, other)
        let (c1, c2) = (hypot(one.a, one.b), hypot(two.a, two.b))
        let middle7 = pow((c1 + c2) / 2, 7)
        let g = 0.5 * (1 - (middle7 / (middle7 + pow(25, 7))).squareRoot())
        let (a1, a2) = ((1 + g) * one.a, (1 + g) * two.a)
        let (chroma1, chroma2) = (hypot(a1, one.b), hypot(a2, two.b))
        let (hue1, hue2) = (Self.angle(one.b, a1), Self.angle(two.b, a2))
        let isGrey = chroma1 * chroma2 == 0
        var turn = isGrey ? 0 : hue2 - hue1
        if turn > 180 { turn -= 360 } else if turn < -180 { turn += 360 }
        let deltaL = two.l - one.l
        let deltaC = chroma2 - chroma1
        let deltaH = 2 * (chroma1 * chroma2).squareRoot() * Self.sine(turn / 2)
        let lightness = (one.l + two.l) / 2
        let chroma = (chroma1 + chroma2) / 2
        let sum = hue1 + hue2
        let hue = isGrey ? sum : abs(hue1 - hue2) <= 180 ? sum / 2 : sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2
        let t =
            1 - 0.17 * Self.cosine(hue - 30) + 0.24 * Self.cosine(2 * hue) + 0.32 * Self.cosine(3 * hue + 6) - 0.20
            * Self.cosine(4 * hue - 63)
        let offset = (lightness - 50) * (lightness - 50)
        let scaleL = 1 + 0.015 * offset / (20 + offset).squareRoot()
        let scaleC = 1 + 0.045 * chroma
        let scaleH = 1 + 0.015 * chroma * t
        let chroma7 = pow(chroma, 7)
        let bend = 30 * exp(-pow((hue - 275) / 25, 2))
        let rotation = -2 * (chroma7 / (chroma7 + pow(25, 7))).squareRoot() * Self.sine(2 * bend)
        let (l, c, h) = (deltaL / scaleL, deltaC / scaleC, deltaH / scaleH)
        return (l * l + c * c + h * h + rotation * c * h).squareRoot()
    }

    private static func angle(_ y: Double, _ x: Double) -> Double {
        if x == 0, y == 0 { return 0 }
        let degrees = atan2(y, x) * 180 / .pi
        return degrees < 0 ? degrees + 360 : degrees
    }

    private static func sine(_ degrees: Double) -> Double { sin(degrees * .pi / 180) }
    private static func cosine(_ degrees: Double) -> Double { cos(degrees * .pi / 180) }
}
