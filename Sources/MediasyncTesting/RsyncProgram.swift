package import Foundation

/// The rsync on this machine: what differential tests compare with.
package enum RsyncProgram {
    package static let path = "/usr/bin/rsync"

    /// Whether there is one.
    package static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Whether it is one of 3.4 or later: earlier ones lose the set-group bit of files on the way (seen with 3.2.7), which
    /// Debian's security updates brought in order.
    package static var keepsSetGroup: Bool {
        guard isInstalled, let result = try? run(["--version"], in: FileManager.default.temporaryDirectory) else {
            return false
        }
        let words = String(decoding: result.output.prefix(80), as: UTF8.self).split(separator: " ")
        guard let index = words.firstIndex(of: "version"), index + 1 < words.count else { return false }
        let numbers = words[index + 1].split(separator: ".").compactMap { Int($0) }
        return numbers.count >= 2 && (numbers[0], numbers[1]) >= (3, 4)
    }

    /// What a call printed (standard output as raw bytes) and its exit code.
    package struct Result: Sendable {
        package var output: [UInt8]
        package var status: Int32
    }

    /// Runs rsync and waits for it. Standard error is discarded. The umask is given: the one of the process that tests run
    /// in is whatever other tests, and who started them, made of it.
    package static func run(_ arguments: [String], umask: UInt32 = 0o022, in directory: URL) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let script = "umask \(String(umask, radix: 8)); exec \"$0\" \"$@\""
        process.arguments = ["-c", script, path] + arguments
        process.currentDirectoryURL = directory
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(output: Array(output), status: process.terminationStatus)
    }

    /// The paths of an itemized listing (`-i -8`), without the root, without the slash of directories; rsync's `\#ooo`
    /// escapes are undone.
    package static func itemizedPaths(_ output: [UInt8]) -> [[UInt8]] {
        output.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.count > 12, !line.starts(with: "rsync".utf8) else { return nil }
            var name = unescaped(Array(line.dropFirst(12)))
            if name.last == UInt8(ascii: "/") { name.removeLast() }
            return name == [UInt8(ascii: ".")] ? nil : name
        }
    }

    private static func unescaped(_ name: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < name.count {
            let digits = name.dropFirst(index + 2).prefix(3)
            if name[index] == UInt8(ascii: "\\"), name.dropFirst(index + 1).first == UInt8(ascii: "#"),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8), digits.count == 3
            {
                result.append(value)
                index += 5
            } else {
                result.append(name[index])
                index += 1
            }
        }
        return result
    }
}
