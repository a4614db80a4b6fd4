internal import Glibc

/// A list of C texts ended by a null, for as long as the value lives; nil stays a null.
final class CStringList {
    private let storage: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String?]) {
        count = texts.count
        storage = .allocate(capacity: count + 1)
        for (index, text) in texts.enumerated() { storage[index] = text.flatMap { strdup($0) } }
        storage[count] = nil
    }

    deinit {
        for index in 0..<count { free(storage[index]) }
        storage.deallocate()
    }

    /// As libpq's functions take it. The list must outlive the call.
    var pointers: UnsafePointer<UnsafePointer<CChar>?> {
        UnsafeRawPointer(storage).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
    }
}
