internal import MediaModel
internal import Running
internal import Storage
internal import Wire

/// Files that come in pieces, or as changes of what is there.
extension ReceiveWorker {
    func assemble(_ file: IncomingFile) {
        while true {
            let steps = file.next()
            if steps.isEmpty { return }
            for step in steps {
                var weight = 512
                switch step {
                case .begin(let sent):
                    guard !file.isSettled, !context.control.shouldStop else { break }
                    if let decided = decide(file.decided ?? file.wanted, sent) {
                        file.decided = decided
                        file.assembly = begin(sent, decided)
                    }
                    file.isSettled = file.assembly == nil
                case .piece(let bytes):
                    weight += bytes.count
                    bytes.withUnsafeBytes { append($0, to: file) }
                case .copies(let copies):
                    weight += copies.count * 16
                    copy(copies, to: file)
                case .end(let end):
                    finish(file, end)
                }
                done.add(weight: weight)
                if done.isEnough { tellDone() }
            }
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer, to file: IncomingFile) {
        guard let assembly = file.assembly else { return }
        do throws(FileFault) {
            if try assembly.append(bytes) { return }
            giveUp(file, damaged(file.subject))
        } catch {
            giveUp(file, context.failure(error, "could not write \(path(file.subject))"))
        }
    }

    private func giveUp(_ file: IncomingFile, _ outcome: Outcome) {
        file.assembly?.discard()
        file.assembly = nil
        file.isSettled = true
        fail(file.subject, outcome)
    }

    private func finish(_ file: IncomingFile, _ end: FileEnd) {
        let found = file.assembly?.finish()
        if endDelta(of: file, end, found) || file.isSettled { return }
        let assembly = file.assembly
        file.assembly = nil
        if end == .again {
            assembly?.discard()
            file.isSpoiled = false
            file.matchedBytes = 0
            return
        }
        file.isSettled = true
        guard let assembly else {
            if case .failed(let error) = end { return fail(file.subject, context.failure(error)) }
            // The run is being stopped, and it was not begun.
            return settle(file.subject)
        }
        switch end {
        case .whole(let sum) where found == sum:
            publish(assembly, file.subject, sum)
        case .whole, .again:
            assembly.discard()
            fail(file.subject, damaged(file.subject))
        case .failed(let error):
            assembly.discard()
            fail(file.subject, context.failure(error))
        }
    }
}
