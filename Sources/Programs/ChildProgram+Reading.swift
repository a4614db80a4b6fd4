internal import Glibc

extension ChildProgram {
    /// Processes whose reading is added up, at most.
    private static let childrenMax = 128

    /// Bytes that the program and what it started have read so far, from files of any kind; nil when it has ended. What a
    /// child that has ended read counts for its parent.
    package var bytesRead: Int64? {
        guard let own = Self.bytesRead(by: process) else { return nil }
        let children = Self.text("/proc/\(process)/task/\(process)/children")?.split(separator: " ") ?? []
        return children.prefix(Self.childrenMax).reduce(own) { sum, child in
            sum + (Int32(child).flatMap(Self.bytesRead) ?? 0)
        }
    }

    private static func bytesRead(by process: Int32) -> Int64? {
        guard let line = text("/proc/\(process)/io")?.split(separator: "\n").first, line.hasPrefix("rchar: ") else {
            return nil
        }
        return Int64(line.dropFirst(7))
    }

    /// A small file of the kernel's.
    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { _ = close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
