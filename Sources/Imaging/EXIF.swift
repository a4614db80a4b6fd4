/// What cameras write beside a picture; only which way it is held matters.
enum EXIF {
    /// The orientation, 1 to 8; nil where none is given, or the data are damaged.
    /// - Parameter tiff: without the word before it that formats may have.
    static func orientation(_ tiff: UnsafeRawBufferPointer) -> Int? {
        var cursor = ByteCursor(tiff)
        do throws(ProcessingFault) {
            let isLittle = cursor.isAt("II")
            try cursor.skip(4)
            try cursor.skip((isLittle ? try cursor.little32() : try cursor.big32()) - 8)
            let count = isLittle ? try cursor.little16() : try cursor.big16()
            for _ in 0..<count {
                let tag = isLittle ? try cursor.little16() : try cursor.big16()
                try cursor.skip(6)
                let value = isLittle ? try cursor.little16() : try cursor.big16()
                try cursor.skip(2)
                if tag == 0x0112 { return (1...8).contains(value) ? value : nil }
            }
        } catch { return nil }
        return nil
    }
}
