package import Running

extension CopyEngine: Engine {
    package func totalCounter() -> (any TotalCounter)? {
        if let origin { return origin.totalCounter }
        return EntryCounter(root: sourcePath, options: options, host: host)
    }
}

extension VerifyEngine {
    package func totalCounter() -> (any TotalCounter)? {
        EntryCounter(root: sourcePath, options: options.selection, host: host)
    }
}

extension ManifestEngine {
    package func totalCounter() -> (any TotalCounter)? {
        EntryCounter(root: rootPath, options: options.selection, host: host)
    }
}

extension ManifestCheckEngine {
    package func totalCounter() -> (any TotalCounter)? { nil }
}
