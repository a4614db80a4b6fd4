/// What a directory entry is.
package enum EntryKind: UInt8, Sendable, CaseIterable {
    case file, directory, symlink, fifo, socket, blockDevice, characterDevice

    /// The kind as it is named in reports and JSON.
    package var name: String {
        switch self {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .fifo: "fifo"
        case .socket: "socket"
        case .blockDevice: "block device"
        case .characterDevice: "character device"
        }
    }
}
