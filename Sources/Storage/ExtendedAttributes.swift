internal import CLinux
internal import Glibc
package import MediaModel

/// Extended attributes, POSIX ACLs among them, of an open file or directory.
package enum ExtendedAttributes {
    /// The most bytes of names and of one value that Linux allows (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
    private static let limit = 65_536

    /// Attribute classes that belong to the machine and not to the data: labels of security modules.
    private static func isCopied(_ name: [UInt8], asRoot: Bool) -> Bool {
        let text = String(decoding: name, as: UTF8.self)
        if text.hasPrefix("user.") || text.hasPrefix("system.posix_acl_") { return true }
        return asRoot && (text == "security.capability" || text.hasPrefix("trusted."))
    }

    /// The attribute that gives new entries of a directory an ACL of their own.
    private static let defaultACL = Array("system.posix_acl_default".utf8)

    /// The names in use on a descriptor, without the terminating NUL; empty where the file system has none.
    package static func names(of descriptor: Int32) throws(FileFault) -> [[UInt8]] {
        let needed = mds_xattr_list(descriptor, nil, 0)
        if needed == 0 || needed == -Int(EOPNOTSUPP) || needed == -Int(ENOSYS) { return [] }
        _ = try check("flistxattr", needed)
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = buffer.withUnsafeMutableBytes {
            mds_xattr_list(descriptor, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return buffer[..<(try check("flistxattr", count))].split(separator: 0).map(Array.init)
    }

    /// Whether new entries in this directory inherit an ACL.
    package static func hasDefaultACL(_ directory: HeldDirectory) throws(FileFault) -> Bool {
        try names(of: directory.raw).contains(defaultACL)
    }

    private static func value(of name: [UInt8], on descriptor: Int32) throws(FileFault) -> [UInt8]? {
        let terminated = name + [0]
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = terminated.withUnsafeBytes { name in
            buffer.withUnsafeMutableBytes {
                mds_xattr_get(
                    descriptor,
                    name.baseAddress?.assumingMemoryBound(to: CChar.self),
                    $0.baseAddress,
                    $0.count
                )
            }
        }
        if count == -Int(ENODATA) { return nil }
        return Array(buffer.prefix(try check("fgetxattr", count)))
    }

    /// What a transfer did.
    package enum Result: Sendable {
        /// The target has what the source has.
        case done
        /// The source has attributes that the target's file system cannot keep.
        case unsupported
    }

    /// Gives the target the source's attributes; with `exact` also removes those the source does not have.
    package static func copy(
        from source: Int32,
        to target: Int32,
        exact: Bool,
        asRoot: Bool
    ) throws(FileFault) -> Result {
        let wanted = try names(of: source).filter { isCopied($0, asRoot: asRoot) }
        return try set(wanted, on: target, exact: exact, asRoot: asRoot) { (name) throws(FileFault) in
            try value(of: name, on: source)
        }
    }

    /// The attributes of the classes that are copied.
    package static func read(from source: Int32, asRoot: Bool) throws(FileFault) -> [ExtendedAttribute] {
        var attributes: [ExtendedAttribute] = []
        for name in try names(of: source) where isCopied(name, asRoot: asRoot) {
            guard let value = try value(of: name, on: source) else { continue }
            attributes.append(ExtendedAttribute(name: name, value: value))
        }
        return attributes
    }

    /// Gives the target attributes that were read elsewhere; classes that are not copied are left out, whoever asks.
    package static func apply(
        _ attributes: [ExtendedAttribute],
        to target: Int32,
        exact: Bool,
        asRoot: Bool
    ) throws(FileFault) -> Result {
        let wanted = attributes.map(\.name).filter { isCopied($0, asRoot: asRoot) }
        return try set(wanted, on: target, exact: exact, asRoot: asRoot) { name in
            attributes.first { $0.name == name }?.value
        }
    }

    private static func set(
        _ wanted: [[UInt8]],
        on target: Int32,
        exact: Bool,
        asRoot: Bool,
        value wantedValue: ([UInt8]) throws(FileFault) -> [UInt8]?
    ) throws(FileFault) -> Result {
        if wanted.isEmpty && !exact { return .done }
        let present = exact ? try names(of: target).filter { isCopied($0, asRoot: asRoot) } : []
        for name in present where !wanted.contains(name) {
            let terminated = name + [0]
            let result = terminated.withUnsafeBytes {
                mds_xattr_remove(target, $0.baseAddress?.assumingMemoryBound(to: CChar.self))
            }
            if result == -Int32(ENODATA) { continue }
            _ = try check("fremovexattr", result)
        }
        for name in wanted {
            guard let value = try wantedValue(name) else { continue }
            if present.contains(name), try self.value(of: name, on: target) == value { continue }
            let terminated = name + [0]
            let result = terminated.withUnsafeBytes { name in
                value.withUnsafeBytes {
                    mds_xattr_set(
                        target,
                        name.baseAddress?.assumingMemoryBound(to: CChar.self),
                        $0.baseAddress,
                        $0.count
                    )
                }
            }
            if result == -Int32(EOPNOTSUPP) { return .unsupported }
            _ = try check("fsetxattr", result)
        }
        return .done
    }

    /// Whether a target has exactly the attributes that were read elsewhere, of the classes that are copied.
    package static func equal(
        _ target: Int32,
        _ attributes: [ExtendedAttribute],
        asRoot: Bool
    ) throws(FileFault) -> Bool {
        let wanted = attributes.filter { isCopied($0.name, asRoot: asRoot) }
        let present = try names(of: target).filter { isCopied($0, asRoot: asRoot) }
        guard Set(wanted.map(\.name)) == Set(present) else { return false }
        for attribute in wanted where try value(of: attribute.name, on: target) != attribute.value { return false }
        return true
    }

    /// Whether both sides have the same attributes of the classes that are copied.
    package static func equal(_ first: Int32, _ second: Int32, asRoot: Bool) throws(FileFault) -> Bool {
        let left = try names(of: first).filter { isCopied($0, asRoot: asRoot) }
        let right = try names(of: second).filter { isCopied($0, asRoot: asRoot) }
        guard Set(left) == Set(right) else { return false }
        for name in left where try value(of: name, on: first) != value(of: name, on: second) { return false }
        return true
    }
}
