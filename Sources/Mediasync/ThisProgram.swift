import Glibc
import MediaModel
import Storage

/// This program's own file, which is started again to decode.
enum ThisProgram {
    static var path: BytePath {
        let path = realpath("/proc/self/exe", nil)
        defer { free(path) }
        return path.map { BytePath(name: $0) } ?? BytePath(CommandLine.arguments[0])
    }
}
