/// One extended attribute of an entry; POSIX ACLs are among them.
package struct ExtendedAttribute: Hashable, Sendable {
    /// `user.checksum`, without a NUL.
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}
