internal import CPixels

/// The 36 characters that stand for a picture while it loads: 4 x 4 components.
enum BlurHash {
    static let length = 36
    private static let alphabet = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~".utf8
    )
    private static let components = 4

    /// Whether a text can be a blurhash: what a decoder's process sends is looked at.
    static func isValid(_ text: String) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy { alphabet.contains($0) }
    }

    static func encode(_ picture: inout mds_picture) throws(ProcessingFault) -> String {
        var sums = [Float](repeating: 0, count: 48)
        guard mds_blurhash_sums(&picture, &sums) == 0 else { throw .noMemory("a blurhash") }
        return encode(sums)
    }

    /// - Parameter sums: red, green and blue of each component, in linear light.
    static func encode(_ sums: [Float]) -> String {
        var text: [UInt8] = []
        append((components - 1) + (components - 1) * 9, digits: 1, to: &text)
        let rest = sums[3...]
        let largest = rest.map { abs($0) }.max() ?? 0
        let quantized = max(0, min(82, Int((largest * 166 - 0.5).rounded(.down))))
        append(quantized, digits: 1, to: &text)
        append(gamma(sums[0]) << 16 | gamma(sums[1]) << 8 | gamma(sums[2]), digits: 4, to: &text)
        let scale = Float(quantized + 1) / 166
        for start in stride(from: 3, to: sums.count, by: 3) {
            let value = (0..<3).reduce(0) { $0 * 19 + level(sums[start + $1] / scale) }
            append(value, digits: 2, to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// One of 19 levels, by the square root of the value.
    private static func level(_ value: Float) -> Int {
        let root = abs(value).squareRoot()
        return max(0, min(18, Int(((value < 0 ? -root : root) * 9 + 9.5).rounded(.down))))
    }

    /// Linear light to a byte of sRGB.
    private static func gamma(_ value: Float) -> Int {
        let light = Double(max(0, min(1, value)))
        let encoded = light <= 0.003_130_8 ? light * 12.92 : 1.055 * power(light, 1 / 2.4) - 0.055
        return Int(encoded * 255 + 0.5)
    }

    private static func append(_ value: Int, digits: Int, to text: inout [UInt8]) {
        var place = (0..<digits).reduce(1) { product, _ in product * 83 } / 83
        for _ in 0..<digits {
            text.append(alphabet[value / place % 83])
            place = max(1, place / 83)
        }
    }
}
