package import Running

extension CopyEngine: Engine {
    package func totalCounter() -> (any TotalCounter)? {
        isSourceElsewhere ? nil : EntryCounter(root: sourcePath, options: options, host: host)
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
