internal import MediaModel
internal import Storage
internal import Wire

/// What the source says when it is asked once more, at the moment of the answer.
extension TreeSender {
    /// Which of some names are certainly not there. Whatever cannot be looked up is not gone.
    func areGone(_ asked: AskedNames) -> [Bool] {
        guard let directory = try? reopen(node(of: asked.directory), from: root, control) else {
            return asked.names.map { _ in false }
        }
        defer { directory.close() }
        return asked.names.map { name in
            name.withEntryName { name in
                guard case .some(.none) = try? directory.lookUp(name) else { return false }
                return true
            }
        }
    }

    /// Sends one entry as it is now.
    func sendEntry(_ ask: Ask) {
        let node = node(of: ask.names.directory)
        let entries = ask.names.names.prefix(1).map { entry($0, of: node) }
        guard let id = window.openBatch(SentBatch(node: node, entries: entries), beforeWaiting: {}) else { return }
        connection.send(.entry(WireBatch(id: id, directory: ask.id, entries: entries)))
    }

    private func entry(_ name: BytePath, of node: DirectoryNode) -> WireEntry {
        let path = node.path(of: name)
        do throws(FileFault) {
            let directory = try reopen(node, from: root, control)
            defer { directory.close() }
            return try name.withEntryName { (entry) throws(FileFault) -> WireEntry in
                let metadata = try directory.metadata(of: entry)
                let text = metadata.kind == .symlink ? try directory.readLink(entry) : []
                guard let kind = metadata.kind, kind != .directory, text.count <= WireLimit.pathBytes else {
                    let error = SyncError(
                        .sourceChanged,
                        "\(path) became something else while it was read",
                        hint: "run the same command again when the source is quiet"
                    )
                    return WireEntry(name: name, kind: .file, state: .failed(error))
                }
                return WireEntry(name: name, kind: kind, state: .present(WireMetadata(metadata)), text: text)
            }
        } catch {
            var problem = error.syncError("could not look at \(path)")
            if error.kind == .missing { problem.code = .sourceVanished }
            return WireEntry(name: name, kind: .file, state: .failed(problem))
        }
    }

    /// A way down from the root, by names that were checked when they were read.
    private func node(of path: BytePath) -> DirectoryNode {
        var node = walk.root
        for component in path.components {
            node = Array(component).withUnsafeBytes { DirectoryNode(parent: node, name: $0) }
        }
        return node
    }
}
