package import MediaModel

/// What the near end asks the far end for: the first frame of a connection.
package struct Hello: Hashable, Sendable {
    /// What the far end does.
    package enum Role: UInt8, Sendable, CaseIterable {
        /// Reads its tree and sends it.
        case send
        /// Writes what it gets into its tree.
        case receive
    }

    package var version: UInt64
    package var role: Role
    /// The tree on the far end's machine, as its user would name it.
    package var root: BytePath
    package var run: RunID
    package var options: WireOptions
    /// What the near end knows of its own tree, where it is the one that sends.
    package var source: SourceFacts?
    /// The near end's clock, when it sent this.
    package var clock = WireTime(seconds: 0, nanoseconds: 0)
    /// Directories that the near end can hold open, where it receives.
    package var directories = WireLimit.openDirectories
    /// Where further connections are to carry bytes of files.
    package var session: WireSession?

    package init(
        version: UInt64 = WireLimit.version,
        role: Role,
        root: BytePath,
        run: RunID,
        options: WireOptions,
        source: SourceFacts? = nil
    ) {
        self.version = version
        self.role = role
        self.root = root
        self.run = run
        self.options = options
        self.source = source
    }
}

/// What guards want to know of a source before the first write.
package struct SourceFacts: Hashable, Sendable {
    package var isEmpty: Bool
    /// It has folders of a media root.
    package var looksLikeRoot: Bool

    package init(isEmpty: Bool, looksLikeRoot: Bool) {
        self.isEmpty = isEmpty
        self.looksLikeRoot = looksLikeRoot
    }
}

/// The far end's answer to a hello that it will serve.
package struct Welcome: Hashable, Sendable {
    package var version: UInt64
    /// Of a far end that sends.
    package var source: SourceFacts?
    /// The far end's clock, when it sent this.
    package var clock = WireTime(seconds: 0, nanoseconds: 0)
    /// Directories that the far end can hold open, where it receives.
    package var directories = WireLimit.openDirectories
    /// Further connections find it, where the hello speaks of any.
    package var takesCarriers = false

    package init(version: UInt64 = WireLimit.version, source: SourceFacts? = nil) {
        self.version = version
        self.source = source
    }
}

/// The options of a copy that the far end needs.
package struct WireOptions: Hashable, Sendable {
    /// A pattern of `--exclude` or `--include`, in its place.
    package struct Pattern: Hashable, Sendable {
        package var isInclude: Bool
        package var bytes: [UInt8]

        package init(isInclude: Bool, bytes: [UInt8]) {
            self.isInclude = isInclude
            self.bytes = bytes
        }
    }

    /// What is on or off.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        package static let dryRun = Flags(rawValue: 1)
        package static let checksum = Flags(rawValue: 2)
        package static let verify = Flags(rawValue: 4)
        package static let delete = Flags(rawValue: 8)
        package static let existingOnly = Flags(rawValue: 16)
        package static let ignoreExisting = Flags(rawValue: 32)
        package static let update = Flags(rawValue: 64)
        package static let oneFileSystem = Flags(rawValue: 128)
        package static let extendedAttributes = Flags(rawValue: 256)
        package static let hardLinks = Flags(rawValue: 512)
        package static let reportsEveryItem = Flags(rawValue: 1024)
        /// The list of paths follows the hello.
        package static let filesFrom = Flags(rawValue: 2048)
        /// Nothing is copied: what differs is told.
        package static let compare = Flags(rawValue: 4096)
        /// Of a comparison: kinds, sizes and contents alone.
        package static let contentOnly = Flags(rawValue: 8192)
        /// Of a comparison: the target is read past the page cache.
        package static let uncached = Flags(rawValue: 16_384)
        /// `--delta`; neither: as it pays.
        package static let deltaAlways = Flags(rawValue: 32_768)
        package static let deltaNever = Flags(rawValue: 65_536)
        package static let detectRenames = Flags(rawValue: 131_072)
        static let known: UInt32 = 262_143
    }

    /// `--max-delete`.
    package enum DeleteLimit: Hashable, Sendable {
        case count(Int64)
        /// Hundredths of a percent.
        case share(UInt32)
    }

    package var flags: Flags = []
    /// The content's digest, end to end.
    package var digest = DigestAlgorithm.xxh3
    /// 0: each file; 1: at the end; 2: left to the kernel.
    package var durability: UInt8 = 0
    package var deleteLimit = DeleteLimit.share(5000)
    package var patterns: [Pattern] = []
    /// 0: all; 1: all but `cache/`; 2: only `cache/`.
    package var half: UInt8 = 0
    package var backupDirectory: BytePath?
    package var owner: UInt32?
    package var group: UInt32?
    /// `--chmod` as it was written, and the umask it follows.
    package var chmod: String?
    package var umask: UInt32 = 0o022
    /// Bytes a second; 0: as many as there are.
    package var bandwidthLimit: Int64 = 0
    /// 0: as many as pay.
    package var jobs: UInt32 = 0

    package init() {}
}

extension WireReader {
    mutating func hello() throws(WireFault) -> Hello {
        let version = try unsigned()
        // What another version says behind its number is not known here.
        if version != WireLimit.version {
            return Hello(version: version, role: .send, root: .root, run: .none, options: WireOptions())
        }
        guard let role = Hello.Role(rawValue: try byte()) else { throw WireFault("a hello asks for no known role") }
        let root = try userPath()
        guard let run = RunID(String(decoding: try bytes(24), as: UTF8.self)) else {
            throw WireFault("a hello has no name of a run")
        }
        var hello = Hello(
            version: version,
            role: role,
            root: root,
            run: run,
            options: try options(),
            source: try optional { (reader) throws(WireFault) in try reader.facts() }
        )
        hello.clock = try clock()
        hello.directories = try directories()
        hello.session = try optional { (reader) throws(WireFault) in try reader.session() }
        return hello
    }

    mutating func welcome() throws(WireFault) -> Welcome {
        let version = try unsigned()
        // What another version says behind its number is not known here.
        if version != WireLimit.version { return Welcome(version: version) }
        var welcome = Welcome(source: try optional { (reader) throws(WireFault) in try reader.facts() })
        welcome.clock = try clock()
        welcome.directories = try directories()
        welcome.takesCarriers = try flag()
        return welcome
    }

    /// A clock that is within a hundred thousand years.
    private mutating func clock() throws(WireFault) -> WireTime {
        let time = try time()
        if time.seconds.magnitude > 1 << 42 { throw WireFault("a clock is beyond its limit") }
        return time
    }

    private mutating func directories() throws(WireFault) -> UInt32 {
        let count = try number32()
        if count == 0 { throw WireFault("an end can hold no directory open") }
        return count
    }

    private mutating func facts() throws(WireFault) -> SourceFacts {
        SourceFacts(isEmpty: try flag(), looksLikeRoot: try flag())
    }

    /// A path as a user names it: any bytes but NUL.
    private mutating func userPath() throws(WireFault) -> BytePath {
        let bytes = try bytes(WireLimit.pathBytes)
        if bytes.contains(0) || bytes.isEmpty { throw WireFault("a root is no path") }
        return BytePath(bytes: bytes)
    }

    private mutating func options() throws(WireFault) -> WireOptions {
        var options = WireOptions()
        options.flags = WireOptions.Flags(rawValue: UInt32(try unsigned(UInt64(WireOptions.Flags.known))))
        let digest = Int(try byte())
        guard DigestAlgorithm.allCases.indices.contains(digest) else { throw WireFault("a digest is of no known kind") }
        options.digest = DigestAlgorithm.allCases[digest]
        options.durability = UInt8(try unsigned(2))
        options.deleteLimit =
            try flag() ? .share(UInt32(try unsigned(10_000))) : .count(try count())
        options.patterns = try list(WireLimit.patterns, bytesEach: 2) { (reader) throws(WireFault) in
            WireOptions.Pattern(isInclude: try reader.flag(), bytes: try reader.bytes(WireLimit.patternBytes))
        }
        options.half = UInt8(try unsigned(2))
        options.backupDirectory = try optional { (reader) throws(WireFault) in try reader.userPath() }
        options.owner = try optional { (reader) throws(WireFault) in try reader.number32() }
        options.group = try optional { (reader) throws(WireFault) in try reader.number32() }
        options.chmod = try optional { (reader) throws(WireFault) in try reader.text() }
        options.umask = UInt32(try unsigned(0o7777))
        options.bandwidthLimit = try count()
        options.jobs = UInt32(try unsigned(1024))
        return options
    }
}

extension WireWriter {
    mutating func hello(_ hello: Hello) {
        unsigned(hello.version)
        byte(hello.role.rawValue)
        path(hello.root)
        data(Array(hello.run.text.utf8))
        options(hello.options)
        optional(hello.source) { $0.facts($1) }
        time(hello.clock)
        unsigned(hello.directories)
        optional(hello.session) { $0.session($1) }
    }

    mutating func welcome(_ welcome: Welcome) {
        unsigned(welcome.version)
        optional(welcome.source) { $0.facts($1) }
        time(welcome.clock)
        unsigned(welcome.directories)
        flag(welcome.takesCarriers)
    }

    private mutating func facts(_ facts: SourceFacts) {
        flag(facts.isEmpty)
        flag(facts.looksLikeRoot)
    }

    private mutating func options(_ options: WireOptions) {
        unsigned(options.flags.rawValue)
        byte(UInt8(DigestAlgorithm.allCases.firstIndex(of: options.digest) ?? 0))
        unsigned(options.durability)
        switch options.deleteLimit {
        case .share(let share):
            flag(true)
            unsigned(share)
        case .count(let count):
            flag(false)
            unsigned(count)
        }
        list(options.patterns) { writer, pattern in
            writer.flag(pattern.isInclude)
            writer.data(pattern.bytes)
        }
        unsigned(options.half)
        optional(options.backupDirectory) { $0.path($1) }
        optional(options.owner) { $0.unsigned($1) }
        optional(options.group) { $0.unsigned($1) }
        optional(options.chmod) { $0.text($1) }
        unsigned(options.umask)
        unsigned(options.bandwidthLimit)
        unsigned(options.jobs)
    }
}

extension RunID {
    /// No run: what stands in for one that could not be read.
    static let none = RunID(secondsSince1970: 0, random: 0)
}
