internal import Glibc
package import MediaModel

/// Small random trees: every kind of entry and of name, from a seed.
package struct SeededTree {
    package let root: BytePath
    private let hardLinks: Bool
    private var random: SeededGenerator
    private var directories: [BytePath] = []
    private var files: [BytePath] = []
    private var others: [BytePath] = []

    /// Makes a tree of about so many entries below a directory that exists.
    package init(in root: BytePath, seed: UInt64, entries: Int = 60, hardLinks: Bool = true) throws {
        self.root = root
        self.hardLinks = hardLinks
        random = SeededGenerator(seed: seed)
        directories = [root]
        for _ in 0..<entries { try addEntry() }
        for directory in directories { try setRandomTime(directory) }
    }

    // MARK: Making

    private mutating func addEntry() throws {
        guard let parent = existingDirectories.randomElement(using: &random) else { return }
        let path = parent / name()
        guard !Disk.exists(path) else { return }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25:
            try Disk.makeDirectory(path, mode: directoryMode())
            directories.append(path)
        case 25..<70: try addFile(path)
        case 70..<78:
            try Disk.makeLink(path, to: linkText())
            others.append(path)
        case 78..<88:
            if hardLinks, let existing = pickFile() {
                try Disk.makeHardLink(path, to: existing)
                files.append(path)
                return
            }
        case 88..<92:
            try Disk.makeSpecial(path, type: UInt32(random.chance(50) ? S_IFIFO : S_IFSOCK))
            others.append(path)
        default: try addSparseFile(path)
        }
        try decorate(path)
    }

    private mutating func addFile(_ path: BytePath) throws {
        let size = [0, 1, 4095, 4096, 40_000, 262_143, 262_144, 300_000].randomElement(using: &random) ?? 0
        let length = random.chance(60) ? Int.random(in: 0...2000, using: &random) : size
        try Disk.write(path, random.bytes(length), mode: fileMode())
        files.append(path)
    }

    private mutating func addSparseFile(_ path: BytePath) throws {
        try Disk.patch(path, at: Int64.random(in: 0...600_000, using: &random), random.bytes(100))
        if random.chance(50) { try Disk.truncate(path, to: 700_000) }
        files.append(path)
    }

    private mutating func decorate(_ path: BytePath) throws {
        guard let status = Disk.status(path) else { return }
        if geteuid() == 0, random.chance(30) {
            let owner = UInt32.random(in: 0...2, using: &random) * 1000
            try Disk.setOwner(path, owner, UInt32.random(in: 0...2, using: &random) * 1000)
            // A change of owner clears set-id bits.
            if status.st_mode & UInt32(S_IFMT) != UInt32(S_IFLNK) { try Disk.setMode(path, status.st_mode & 0o7777) }
        }
        let kind = status.st_mode & UInt32(S_IFMT)
        if random.chance(15), kind == UInt32(S_IFREG) || kind == UInt32(S_IFDIR) {
            try Disk.setAttribute(path, "user.seeded", random.bytes(Int.random(in: 0...40, using: &random)))
        }
        try setRandomTime(path)
    }

    private mutating func setRandomTime(_ path: BytePath) throws {
        let seconds = Int.random(in: -300_000_000...4_070_908_800, using: &random)
        try Disk.setTime(path, seconds, nanoseconds: Int.random(in: 0...999_999_999, using: &random))
    }

    // MARK: Choosing

    /// What is there and is no directory; each path once.
    private func existing(_ paths: [BytePath]) -> [BytePath] {
        Set(paths).sorted().filter { path in Disk.exists(path) && !Disk.isDirectory(path) }
    }

    private var existingDirectories: [BytePath] { directories.filter(Disk.isDirectory) }

    private mutating func name() -> BytePath {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return BytePath(bytes: random.bytes(Int.random(in: 1...12, using: &random)).map { $0 | 0x80 })
        case 1: return BytePath(bytes: [UInt8.random(in: 1...31, using: &random), 0x0A, 0x1B])
        case 2: return BytePath("-" + String(random.next(), radix: 36))
        case 3:
            return BytePath(
                ["e\u{301}", "\u{e9}", "Name", "name", " ", "a b", "*", "[x]", "\\"].randomElement() ?? "x"
            )
        case 4: return BytePath(bytes: Array(repeating: UInt8.random(in: 97...122, using: &random), count: 255))
        default: return BytePath(String(random.next() % 1000, radix: 36))
        }
    }

    private mutating func linkText() -> BytePath {
        [BytePath("missing"), BytePath("../.."), BytePath("/etc/passwd"), BytePath(bytes: [0xFF, 0x0A])]
            .randomElement(using: &random) ?? BytePath("x")
    }

    private mutating func fileMode() -> UInt32 {
        [0o644, 0o600, 0o000, 0o444, 0o4755, 0o2711, 0o666].randomElement(using: &random) ?? 0o644
    }

    private mutating func directoryMode() -> UInt32 {
        [0o755, 0o700, 0o2775, 0o1777, 0o555, 0o000].randomElement(using: &random) ?? 0o755
    }

    // MARK: Changing

    /// Changes about so many entries at random: new, removed, rewritten, renamed, linked, other kinds, other attributes.
    package mutating func mutate(_ count: Int = 20) throws {
        for _ in 0..<count {
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1, 2: try addEntry()
            case 3, 4: try rewriteFile()
            case 5: try removeOne()
            case 6: try changeKind()
            case 7: if let path = existing(files + others).randomElement(using: &random) { try decorate(path) }
            case 8: try renameFile()
            default: try changeMode()
            }
        }
    }

    private mutating func pickFile() -> BytePath? { existing(files).randomElement(using: &random) }

    private mutating func rewriteFile() throws {
        guard let path = pickFile() else { return }
        try Disk.write(path, random.bytes(Int.random(in: 0...5000, using: &random)), mode: fileMode())
        try setRandomTime(path)
    }

    private mutating func removeOne() throws {
        if random.chance(30), let directory = existingDirectories.dropFirst().randomElement(using: &random) {
            Disk.removeTree(directory)
            directories.removeAll { !Disk.isDirectory($0) }
        } else if let path = existing(files + others).randomElement(using: &random) {
            try Disk.remove(path)
        }
    }

    /// A file becomes a directory with something in it, or a directory becomes a file.
    private mutating func changeKind() throws {
        if random.chance(50), let path = pickFile() {
            try Disk.remove(path)
            try Disk.makeDirectory(path)
            directories.append(path)
            try addFile(path / "inside")
        } else if let path = existingDirectories.dropFirst().randomElement(using: &random) {
            Disk.removeTree(path)
            directories.removeAll { !Disk.isDirectory($0) }
            try addFile(path)
            try setRandomTime(path)
        }
    }

    private mutating func renameFile() throws {
        guard let path = pickFile(), let parent = existingDirectories.randomElement(using: &random) else {
            return
        }
        let other = parent / name()
        if Disk.exists(other) { return }
        try Disk.rename(path, to: other)
        files.append(other)
    }

    private mutating func changeMode() throws {
        if random.chance(50), let path = pickFile() {
            try Disk.setMode(path, fileMode())
        } else if let path = existingDirectories.dropFirst().randomElement(using: &random) {
            try Disk.setMode(path, directoryMode())
        }
    }
}
