import MediaModel
import MediasyncTesting

/// A pair of trees whose files tell by their content alone whether they are whole: each is one known version.
struct SelfCheckingTree {
    let source: BytePath
    let target: BytePath
    private let paths: [String]
    private let seed: UInt64

    /// The source has version 2 of everything; the target version 1 of each second file.
    init(source: BytePath, target: BytePath, files: Int, seed: UInt64, bytesMax: Int = 200_000) throws {
        self.source = source
        self.target = target
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        var paths: [String] = []
        for root in [source, target] {
            for directory in 0..<5 where !Disk.exists(root / "d\(directory)") {
                try Disk.makeDirectory(root / "d\(directory)")
            }
        }
        for index in 0..<files {
            let path = "d\(index % 5)/f\(index)"
            let size = random.chance(80) ? Int.random(in: 1...20_000, using: &random) : bytesMax
            paths.append("\(path) \(size)")
        }
        self.paths = paths
        for (index, path) in paths.enumerated() {
            try write(path, version: 2, below: source)
            if index % 2 == 0 { try write(path, version: 1, below: target) }
        }
    }

    /// A path and the size of its file in one text: `d0/f1 2000`.
    private func write(_ entry: String, version: Int, below root: BytePath) throws {
        let path = root / name(of: entry)
        try Disk.write(path, contents(entry, version))
        try Disk.setTime(path, 1_500_000_000 + version)
    }

    private func name(of entry: String) -> String { String(entry.prefix { $0 != " " }) }

    private func contents(_ entry: String, _ version: Int) -> [UInt8] {
        let size = Int(entry.drop { $0 != " " }.dropFirst()) ?? 0
        var random = SeededGenerator(
            seed: seed &* 31 &+ UInt64(entry.utf8.reduce(UInt64(version)) { $0 &* 131 &+ UInt64($1) })
        )
        return random.bytes(size)
    }

    /// Names under which neither the whole old nor the whole new content lies.
    func tornFiles() throws -> [String] {
        try paths.enumerated().compactMap { index, entry in
            let path = target / name(of: entry)
            guard Disk.exists(path) else { return index % 2 == 0 ? "\(entry) is gone" : nil }
            let bytes = try Disk.read(path)
            if bytes == contents(entry, 2) || (index % 2 == 0 && bytes == contents(entry, 1)) { return nil }
            return "\(entry) has \(bytes.count) bytes of neither version"
        }
    }

    /// Files that are not the new version.
    func missingFiles() throws -> [String] {
        try paths.filter { entry in
            let path = target / name(of: entry)
            return try !Disk.exists(path) || Disk.read(path) != contents(entry, 2)
        }
    }

    /// The whole target equals the source and nothing of mediasync's is left.
    func differences() throws -> [String] {
        try TreeSnapshot(of: target).differences(from: TreeSnapshot(of: source))
    }
}
