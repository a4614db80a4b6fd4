/// How large anything in the protocol may be. A peer that goes beyond one of these is not heard any further.
package enum WireLimit {
    /// The version of the protocol that this program speaks.
    package static let version: UInt64 = 5
    /// What both ends send before anything else: a login shell that prints something is told apart by it.
    package static let magic: [UInt8] = Array("\u{0}mediasync\n".utf8)
    /// Bytes of a frame's length and kind.
    package static let headerBytes = 5
    /// Bytes of one frame behind its header.
    package static let payloadBytes = 512 << 10
    /// Bytes of one piece of a large file.
    package static let pieceBytes = 256 << 10
    /// Bytes of frames that are packed together, before and after.
    package static let packedBytes = 384 << 10
    /// A file of at most so many bytes travels in one frame.
    package static let wholeFileBytes = 128 << 10
    /// Directories and files in one bundle, levels of directories, and bytes of its frame, header included.
    package static let bundleEntries = 64
    package static let bundleLevels = 8
    package static let bundleBytes = 384 << 10
    /// Linux' NAME_MAX.
    package static let nameBytes = 255
    /// Linux' PATH_MAX: roots, texts of links.
    package static let pathBytes = 4096
    /// Bytes of the path of an entry in a tree that may be deeper than PATH_MAX.
    package static let deepPathBytes = 400 << 10
    /// Directories above an entry.
    package static let depth = 4096
    /// Directories that a sender leaves open at a receiver which can hold that many.
    package static let openDirectories: UInt32 = 8192
    /// Questions about names that wait for their answers.
    package static let questions = 256
    /// Bytes of all parts of a list of paths.
    package static let listBytes = 64 << 20
    /// Entries that one summary stands for, the directory itself among them.
    package static let summaryEntries = 256
    /// Entries of one batch.
    package static let batchEntries = 1024
    /// Bytes of the extended attributes of one entry, and how many there may be.
    package static let attributeBytes = 192 << 10
    package static let attributes = 4096
    /// Bytes of one text for people.
    package static let textBytes = 8192
    /// Patterns of one run, and bytes of one.
    package static let patterns = 65_536
    package static let patternBytes = 8192
    /// Copies in one frame.
    package static let copies = 4096
    /// Files that are described and not yet built, and blocks of those that are described and not yet read.
    package static let bases = 256
    package static let basisBlocks = 1 << 21
    /// Connections of one run, the first among them.
    package static let connections = 16
    /// Bytes that name a session, and of what proves that a connection belongs to it.
    package static let sessionIDBytes = 16
    package static let secretBytes = 32
    /// A file's size, and any other number that is added up.
    package static let number: UInt64 = 1 << 62
}

/// What is wrong with bytes that a peer sent. Such a peer is not heard any further.
package struct WireFault: Error, Sendable, Equatable {
    package let what: String

    package init(_ what: String) {
        self.what = what
    }

    static let cut = WireFault("a frame ends in the middle of a value")
}
