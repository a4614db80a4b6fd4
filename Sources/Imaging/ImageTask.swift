/// What a decoder can be asked to do with a picture.
enum ImageTask: UInt8, Hashable, Sendable, CaseIterable {
    /// Everything that a role needs.
    case process
    /// A PNG of the first frame, as large as the role's static variant.
    case still
    /// Size and blurhash of a picture that is already as it should be; its variant is the input.
    case describe
    /// Only whether it can be decoded to its end.
    case check
    #if DEBUG
        /// What a damaged decoder may do: for tests of those who wait for it.
        case crash, hang, exhaust, lie, write, connect
    #endif
}

/// Who decodes pictures: this process, or a child that may die of it.
protocol ImageWork: Sendable {
    /// Blocks until it is done.
    func run(_ task: ImageTask, _ request: ProcessingRequest) throws(ProcessingFault) -> ProcessedMedia
}
