internal import MediaModel
internal import Pacing
internal import Storage

/// Lists a store by several threads, depth first. What waits is a list of directories: some hundred for each thread in a
/// media tree, whose directories have at most a thousand entries.
struct StoreWalk: Sendable {
    private struct State {
        /// Directories to list.
        var waiting: [BytePath]
        /// Threads that list one now: they may add more.
        var busy = 0
        var ended = false
    }

    private let store: any MediaStore
    private let state: Monitor<State>

    /// - Parameter prefix: where to begin.
    init(_ store: any MediaStore, from prefix: BytePath = .root) {
        self.store = store
        state = Monitor(State(waiting: [prefix]))
    }

    /// Works until everything is listed or somebody stops it. Each thread calls it once.
    /// - Parameter body: hears each entry that is no directory, and each directory that cannot be listed. False stops all.
    func work(_ body: (Result<BytePath, StoreWalkFailure>) -> Bool) {
        while let directory = take() {
            var directories: [BytePath] = []
            var unknown: [BytePath] = []
            var goesOn = true
            do throws(FileFault) {
                try store.list(directory) { name, kind in
                    let path = directory.appending(name)
                    if kind == nil {
                        // A file system that does not tell: looked at once the listing is done.
                        unknown.append(path)
                    } else if kind == .directory {
                        directories.append(path)
                    } else if goesOn {
                        goesOn = body(.success(path))
                    }
                }
            } catch {
                // Gone meanwhile: there is nothing in it any more.
                if error.kind != .missing {
                    goesOn = body(.failure(StoreWalkFailure(directory: directory, fault: error)))
                }
            }
            for path in unknown {
                if (try? store.look(path))?.kind == .directory {
                    directories.append(path)
                } else if goesOn {
                    goesOn = body(.success(path))
                }
            }
            give(directories, goesOn)
        }
    }

    private func take() -> BytePath? {
        state.wait { state -> BytePath?? in
            if state.ended { return .some(nil) }
            if let directory = state.waiting.popLast() {
                state.busy += 1
                return directory
            }
            return state.busy == 0 ? .some(nil) : nil
        }
    }

    private func give(_ directories: [BytePath], _ goesOn: Bool) {
        state.withLock { state in
            state.waiting += directories
            state.busy -= 1
            if !goesOn { state.ended = true }
        }
        state.wakeAll()
    }
}

/// A directory that could not be listed.
struct StoreWalkFailure: Error {
    let directory: BytePath
    let fault: FileFault
}
