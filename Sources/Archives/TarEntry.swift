package import MediaModel

/// One entry of a tar archive, as it says of itself: nothing of it is to be believed.
package struct TarEntry: Sendable {
    package enum Kind: Sendable, Equatable {
        case file
        case directory
        /// One more name of a file that came before.
        case hardLink(BytePath)
        case symlink
        /// A device, a fifo, a socket, or what no system knows.
        case special
    }

    /// As it stands in the archive: absolute or leading upwards, if it likes.
    package let path: BytePath
    package let kind: Kind
    /// Bytes of the content, holes included; negative where the archive says so.
    package let size: Int64
    package let permissions: UInt32
    package let modificationSeconds: Int64
    /// Nil where the archive keeps whole seconds.
    package let modificationNanoseconds: UInt32?
}
