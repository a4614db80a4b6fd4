internal import Filtering
internal import MediaModel
internal import Wire

extension CopyOptions {
    /// What the other machine needs of these options; the list of paths follows.
    /// - Throws: for what does not go between machines.
    func onWire() throws(SyncError) -> WireOptions {
        var options = WireOptions()
        let flags: [(Bool, WireOptions.Flags)] = [
            (dryRun, .dryRun), (checksum, .checksum), (verify, .verify), (delete, .delete),
            (existingOnly, .existingOnly), (ignoreExisting, .ignoreExisting), (update, .update),
            (oneFileSystem, .oneFileSystem), (extendedAttributes, .extendedAttributes), (hardLinks, .hardLinks),
            (reportsEveryItem, .reportsEveryItem), (fileList != nil, .filesFrom), (comparison != nil, .compare),
            (comparison?.contentOnly == true, .contentOnly), (comparison?.uncached == true, .uncached),
            (delta == .always, .deltaAlways), (delta == .never, .deltaNever), (detectRenames, .detectRenames),
        ]
        for (isOn, flag) in flags where isOn { options.flags.insert(flag) }
        options.digest = digest ?? .xxh3
        options.durability = UInt8(Durability.allCases.firstIndex(of: durability) ?? 0)
        switch deleteLimit {
        case .count(let count): options.deleteLimit = .count(Int64(count))
        case .percent(let share): options.deleteLimit = .share(UInt32((min(max(share, 0), 100) * 100).rounded()))
        }
        options.patterns = filters.patterns.map { .init(isInclude: $0.isInclude, bytes: $0.pattern) }
        if options.patterns.reduce(0, { $0 + $1.bytes.count + 4 }) > WireLimit.payloadBytes / 2
            || options.patterns.contains(where: { $0.bytes.count > WireLimit.patternBytes })
        {
            throw SyncError(.usage, "the patterns of --exclude and --include are too long to be sent")
        }
        options.half = half.map { $0 == .local ? 1 : 2 } ?? 0
        options.backupDirectory = backupDirectory
        options.owner = chown?.owner
        options.group = chown?.group
        options.chmod = chmod?.text
        options.umask = chmod?.umask ?? 0o022
        options.bandwidthLimit = bandwidthLimit ?? 0
        options.jobs = UInt32(jobs ?? 0)
        return options
    }

    /// What the other machine asked for.
    init(_ sent: WireOptions) throws(SyncError) {
        self.init()
        digest = sent.digest
        durability = Durability.allCases[Int(sent.durability)]
        dryRun = sent.flags.contains(.dryRun)
        checksum = sent.flags.contains(.checksum)
        verify = sent.flags.contains(.verify)
        delete = sent.flags.contains(.delete)
        existingOnly = sent.flags.contains(.existingOnly)
        ignoreExisting = sent.flags.contains(.ignoreExisting)
        update = sent.flags.contains(.update)
        oneFileSystem = sent.flags.contains(.oneFileSystem)
        extendedAttributes = sent.flags.contains(.extendedAttributes)
        hardLinks = sent.flags.contains(.hardLinks)
        reportsEveryItem = sent.flags.contains(.reportsEveryItem)
        delta = sent.flags.contains(.deltaAlways) ? .always : sent.flags.contains(.deltaNever) ? .never : .auto
        detectRenames = sent.flags.contains(.detectRenames)
        if sent.flags.contains(.compare) {
            comparison = Comparison(
                contentOnly: sent.flags.contains(.contentOnly),
                uncached: sent.flags.contains(.uncached)
            )
            dryRun = true
        }
        switch sent.deleteLimit {
        case .count(let count): deleteLimit = .count(Int(count))
        case .share(let share): deleteLimit = .percent(Double(share) / 100)
        }
        for pattern in sent.patterns { filters.append(pattern.bytes, isInclude: pattern.isInclude) }
        half = sent.half == 0 ? nil : sent.half == 1 ? .local : .remote
        backupDirectory = sent.backupDirectory
        if sent.owner != nil || sent.group != nil { chown = Ownership(owner: sent.owner, group: sent.group) }
        if let text = sent.chmod { chmod = try ModeRules(parsing: text, umask: sent.umask) }
        bandwidthLimit = sent.bandwidthLimit > 0 ? sent.bandwidthLimit : nil
        jobs = sent.jobs > 0 ? Int(sent.jobs) : nil
    }
}
