internal import MediaModel

/// The names of entries that are not finished: a fixed prefix, the run, a number. They are recognised by this form and
/// never copied, and a dead run's are removed by the next run.
enum TemporaryName {
    static let prefix = ".mediasync-tmp-"
    /// The marker that a run is at work in a target, or died there.
    static let marker = ".mediasync-run"

    /// The run that made a temporary; nil where the name is no temporary's.
    static func run(of name: UnsafeRawBufferPointer) -> RunID? {
        let prefixBytes = prefix.utf8
        let runLength = 24
        guard name.count > prefixBytes.count + runLength + 1, name.starts(with: prefixBytes) else { return nil }
        let rest = name.dropFirst(prefixBytes.count)
        guard rest.dropFirst(runLength).first == UInt8(ascii: "-"),
            rest.dropFirst(runLength + 1).allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        return RunID(String(decoding: rest.prefix(runLength), as: UTF8.self))
    }

    /// Whether a temporary is named for the file that it is going to be: one that the next run may go on with.
    static func isPartial(_ name: UnsafeRawBufferPointer) -> Bool {
        run(of: name) != nil
            && name.dropFirst(prefix.utf8.count).reduce(0) { $0 + ($1 == UInt8(ascii: ".") ? 1 : 0) } == 2
    }

    static func isMarker(_ name: UnsafeRawBufferPointer) -> Bool {
        name.count == marker.utf8.count && name.elementsEqual(marker.utf8)
    }

    /// Whether an entry belongs to mediasync and not to the data. The first byte decides for nearly every name.
    @inline(__always)
    static func isOwn(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count >= 14, name[0] == UInt8(ascii: ".") else { return false }
        return isMarker(name) || run(of: name) != nil
    }
}

/// Makes one thread's temporary names in a buffer of its own. One owner: the thread.
final class TemporaryNamer {
    private let buffer: UnsafeMutablePointer<CChar>
    private let fixedLength: Int
    private var number = 0

    init(run: RunID, thread: Int) {
        let fixed = Array("\(TemporaryName.prefix)\(run.text)-\(thread).".utf8)
        fixedLength = fixed.count
        buffer = .allocate(capacity: fixed.count + 24)
        for (index, byte) in fixed.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        buffer[fixedLength] = 0
    }

    deinit {
        buffer.deallocate()
    }

    /// The next name, valid until the one after it is made, and its number.
    func next() -> UnsafePointer<CChar> {
        number += 1
        var digits = 1
        var scale = 10
        while scale <= number {
            digits += 1
            scale *= 10
        }
        var rest = number
        for index in stride(from: digits - 1, through: 0, by: -1) {
            buffer[fixedLength + index] = CChar(0x30 + rest % 10)
            rest /= 10
        }
        buffer[fixedLength + digits] = 0
        return UnsafePointer(buffer)
    }
}
