/// Comments the roles out that every installation has, in the first lines of a dump of a whole server, as the snap does it:
/// whoever feeds it to psql is not told of errors then.
struct RoleCommenter {
    private static let linesMax = 100
    /// Longer first lines than this are not gathered: a dump does not begin so.
    private static let bytesMax = 1 << 20
    private static let roles = ["postgres", "mastodon", "pgbouncer"].map { Array("CREATE ROLE \($0);".utf8) }

    private var pending: [UInt8] = []
    private var lines = 0

    /// What is to be written of the text so far.
    mutating func pass(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        if lines >= Self.linesMax { return Array(bytes) }
        pending += bytes
        var result: [UInt8] = []
        var start = 0
        while lines < Self.linesMax, let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = pending[start...end]
            if Self.roles.contains(where: { line.dropLast().elementsEqual($0) }) { result += Array("-- ".utf8) }
            result += line
            lines += 1
            start = end + 1
        }
        pending.removeFirst(start)
        if lines >= Self.linesMax || pending.count > Self.bytesMax { result += finish() }
        return result
    }

    /// The rest, at the end of the text.
    mutating func finish() -> [UInt8] {
        lines = Self.linesMax
        defer { pending = [] }
        return pending
    }
}
