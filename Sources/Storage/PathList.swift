package import MediaModel

/// Many paths one behind the other in one piece of memory, as system calls take them: each with a NUL behind it.
package struct PathList: Sendable, ExpressibleByArrayLiteral {
    private var bytes: [UInt8] = []
    /// Where each one begins, and where the next one would.
    private var starts = [0]

    package init() {}

    package init(_ paths: some Sequence<BytePath>) {
        for path in paths { append(path) }
    }

    package init(arrayLiteral paths: BytePath...) {
        self.init(paths)
    }

    package var count: Int { starts.count - 1 }

    package subscript(_ index: Int) -> BytePath { BytePath(bytes: Array(bytes[range(index)])) }

    private func range(_ index: Int) -> Range<Int> { starts[index]..<(starts[index + 1] - 1) }

    package mutating func reserve(paths: Int, bytes count: Int) {
        bytes.reserveCapacity(count)
        starts.reserveCapacity(paths + 1)
    }

    /// Forgets the paths; the memory is kept for others.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
    }

    package mutating func append(_ path: BytePath) {
        append { (bytes) in
            bytes += path.bytes
            return true
        }
    }

    /// Adds what `write` puts behind what is there; nothing where it says false.
    @discardableResult
    package mutating func append(_ write: (inout [UInt8]) -> Bool) -> Bool {
        let start = bytes.count
        guard write(&bytes) else {
            bytes.removeSubrange(start...)
            return false
        }
        bytes.append(0)
        starts.append(bytes.count)
        return true
    }

    /// The bytes of each, without the NUL that stands behind them. Valid during the call.
    func withEach(_ body: (Int, UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { all in
            for index in 0..<count { body(index, UnsafeRawBufferPointer(rebasing: all[range(index)])) }
        }
    }
}
