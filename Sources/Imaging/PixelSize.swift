/// Width and height of a picture.
package struct PixelSize: Hashable, Sendable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// How many pixels; sides come from headers, so the product is checked.
    package var pixels: Int {
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? .max : product
    }

    var transposed: PixelSize { PixelSize(width: height, height: width) }

    /// The box that holds about `pixels` pixels in this picture's proportion: what Mastodon asks a thumbnail to fit into.
    func box(pixels: Int) -> PixelSize {
        let proportion = Double(width) / Double(height)
        return PixelSize(
            width: Int((Double(pixels) * proportion).squareRoot().rounded()),
            height: Int((Double(pixels) / proportion).squareRoot().rounded())
        )
    }

    /// This picture scaled down until it fits into a box, each side rounded on its own; never enlarged.
    func shrunk(into box: PixelSize) -> PixelSize {
        let shrink = max(Double(width) / Double(box.width), Double(height) / Double(box.height))
        return shrink <= 1 ? self : divided(by: shrink)
    }

    /// This picture scaled until it covers a box.
    func covering(_ box: PixelSize) -> PixelSize {
        divided(by: min(Double(width) / Double(box.width), Double(height) / Double(box.height)))
    }

    /// This picture scaled, up or down, until it just fits into a box.
    func fitting(_ box: PixelSize) -> PixelSize {
        divided(by: max(Double(width) / Double(box.width), Double(height) / Double(box.height)))
    }

    /// Divided by the inverse of the scale, as libvips does it: what comes out as a half must be rounded the same way.
    private func divided(by ratio: Double) -> PixelSize {
        let shrink = 1 / (1 / ratio)
        return PixelSize(
            width: max(1, Int((Double(width) / shrink).rounded())),
            height: max(1, Int((Double(height) / shrink).rounded()))
        )
    }
}

extension PixelSize: CustomStringConvertible {
    package var description: String { "\(width)x\(height)" }
}
