internal import Glibc
internal import Storage

/// A file's content in memory. Memory that is not there is a fault, not the end of the process.
final class MediaBytes {
    let buffer: UnsafeRawBufferPointer
    private let free: (UnsafeMutableRawPointer) -> Void

    /// Reads a whole file, which must be as long as it is said to be.
    init(descriptor: Int32, count: Int64) throws(ProcessingFault) {
        guard count > 0, let size = Int(exactly: count) else {
            throw ProcessingFault(.typeNotAllowed, "an empty file is not accepted")
        }
        guard let memory = malloc(size) else { throw .noMemory("\(size) bytes of input") }
        free = { Glibc.free($0) }
        let target = UnsafeMutableRawBufferPointer(start: memory, count: size)
        buffer = UnsafeRawBufferPointer(target)
        let done: Int
        do throws(FileFault) { done = try OpenFile.read(descriptor: descriptor, into: target, at: 0) } catch {
            throw ProcessingFault(.unreadable, error.reason)
        }
        if done != size { throw ProcessingFault(.unreadable, "the input is shorter than it was said to be") }
    }

    /// Takes over memory that a C library allocated.
    init(_ memory: UnsafeMutablePointer<UInt8>, count: Int, free: @escaping (UnsafeMutableRawPointer) -> Void) {
        buffer = UnsafeRawBufferPointer(start: memory, count: count)
        self.free = free
    }

    deinit {
        if let base = buffer.baseAddress { free(UnsafeMutableRawPointer(mutating: base)) }
    }

    var bytes: UnsafePointer<UInt8>? { buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) }
    var count: Int { buffer.count }

    /// Writes all of it to an empty file.
    func write(to descriptor: Int32) throws(ProcessingFault) {
        do throws(FileFault) { try OpenFile.write(descriptor: descriptor, buffer, at: 0) } catch {
            throw ProcessingFault(error)
        }
    }
}

extension ProcessingFault {
    static func noMemory(_ what: String) -> ProcessingFault {
        ProcessingFault(.outOfMemory, "no memory for \(what)")
    }

    init(_ fault: FileFault) {
        self.init(fault.kind == .noSpace ? .noSpace : .unreadable, fault.reason)
    }
}
