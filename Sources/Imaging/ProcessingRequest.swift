/// One file to process. Descriptors are borrowed: whoever made them closes them.
package struct ProcessingRequest: Sendable {
    /// The most outputs a file needs: original, small, and what an embedded picture becomes.
    package static let outputMax = 4

    package var role: MediaRole
    package var rules: ProcessingRules
    /// A regular file, readable by `pread`; its position is not used.
    package var input: Int32
    package var inputBytes: Int64
    /// The extension of the URL or of `Content-Disposition`, without a dot: a hint only, and hostile.
    package var fileExtension: String?
    /// Empty files without names, readable and writable, on the store's file system. Variants that are not the input's
    /// own bytes are written there, in the order in which they are needed; what a failed request leaves there is void.
    package var outputs: [Int32]

    package init(
        role: MediaRole,
        rules: ProcessingRules,
        input: Int32,
        inputBytes: Int64,
        fileExtension: String?,
        outputs: [Int32]
    ) {
        self.role = role
        self.rules = rules
        self.input = input
        self.inputBytes = inputBytes
        self.fileExtension = fileExtension
        self.outputs = outputs
    }
}
