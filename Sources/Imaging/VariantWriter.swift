/// Collects the variants of one file, and writes what is not the input itself to the outputs in their order.
struct VariantWriter {
    private let outputs: [Int32]
    private let byteMax: Int64
    private var written: [(image: SourceImage, index: Int)] = []
    private(set) var variants: [ProcessedVariant] = []

    /// - Parameter byteMax: a variant with as many bytes is refused.
    init(outputs: [Int32], byteMax: Int64) {
        self.outputs = outputs
        self.byteMax = byteMax
    }

    /// - Parameter fileExtension: of the variant's name.
    mutating func add(_ style: String, _ image: SourceImage, fileExtension: String) throws(ProcessingFault) {
        let source: ProcessedVariant.Source =
            image.isInput ? .input(bytes: image.byteCount) : .output(try write(image))
        variants.append(
            ProcessedVariant(
                style: style,
                source: source,
                byteCount: image.byteCount,
                fileExtension: fileExtension,
                size: image.size
            )
        )
    }

    /// The index of the output that holds the picture, which two variants may share.
    private mutating func write(_ image: SourceImage) throws(ProcessingFault) -> Int {
        if let known = written.first(where: { $0.image === image }) { return known.index }
        guard image.byteCount < byteMax else { throw .tooLarge(image.byteCount, byteMax) }
        let index = written.count
        guard index < outputs.count else { throw ProcessingFault(.unreadable, "there is no output left to write to") }
        try image.bytes.write(to: outputs[index])
        written.append((image, index))
        return index
    }
}
