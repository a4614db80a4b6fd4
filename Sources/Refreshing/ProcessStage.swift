internal import Fetching
internal import Imaging
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage

/// Makes of each file that arrived what Mastodon keeps, by some threads with a decoder each.
struct ProcessStage: Sendable {
    let arrivals: Arrivals
    let processor: any MediaProcessing
    let rules: ProcessingRules
    let namer: FileNamer
    let store: any MediaStore
    let output: BoundedQueue<NewFile>
    let inbox: DispatchInbox
    let ledger: RefreshLedger
    let control: RunControl

    /// Works until nothing arrives any more; each thread calls it once. A stopped run drops what still waits: it is as if
    /// it had not been fetched.
    func work() {
        // Outputs that the last file did not need.
        var spare: [SpoolFile] = []
        while let arrival = arrivals.take() {
            if control.shouldStop { continue }
            let (made, used) = process(arrival, &spare)
            spare.removeAll { used.contains(ObjectIdentifier($0)) }
            // Whoever waited for room may go on.
            inbox.post(.look)
            if let made { guard output.offer(made) else { return } }
        }
    }

    /// The new file, and which spare outputs may not be used again.
    private func process(_ arrival: Arrival, _ spare: inout [SpoolFile]) -> (NewFile?, Set<ObjectIdentifier>) {
        guard let role = MediaRole(arrival.item.kind) else { return (nil, []) }
        do throws(FileFault) {
            while spare.count < ProcessingRequest.outputMax { spare.append(try store.makeSpool()) }
        } catch {
            fail(arrival, error)
            return (nil, [])
        }
        let used = Set(spare.map { ObjectIdentifier($0) })
        let request = ProcessingRequest(
            role: role,
            rules: rules,
            input: arrival.spool.descriptor,
            inputBytes: arrival.answer.byteCount,
            fileExtension: arrival.answer.fileExtension,
            outputs: spare.map(\.descriptor)
        )
        let media: ProcessedMedia
        do throws(ProcessingFault) {
            media = try processor.process(request)
        } catch {
            // What it wrote until then is in some of them.
            fail(arrival, error)
            return (nil, used)
        }
        do throws(FileFault) {
            if let made = try namer.name(media, of: arrival, outputs: spare) {
                let written = Set(made.variants.map { ObjectIdentifier($0.spool) })
                return (made, used.intersection(written))
            }
            let what = "\(arrival.item.label) was decoded to other files than Mastodon has for \(media.contentType)"
            end(arrival, "decoder", SyncError(.item, what))
        } catch {
            fail(arrival, error)
        }
        return (nil, used)
    }

    private func fail(_ arrival: Arrival, _ fault: FileFault) {
        let error = fault.syncError("cannot keep the files of \(arrival.item.label)")
        if error.retry == .abortStage { control.stop(error) }
        end(arrival, "store", error)
    }

    private func fail(_ arrival: Arrival, _ fault: ProcessingFault) {
        // A run that stops ends its decoders: that is no item's failure.
        if fault.kind == .stopped { return }
        let error = fault.syncError(arrival.row)
        if error.retry == .abortStage { control.stop(error) }
        end(arrival, fault.word, error)
    }

    private func end(_ arrival: Arrival, _ reason: String, _ error: SyncError) {
        ledger.failed(arrival.item, reason: reason, error)
        if arrival.item.thumbnailHost != nil { inbox.post(.fileDone(arrival.item)) }
    }
}

extension FetchAnswer {
    /// The extension that the server or the URL gives the file: a hint of its type, at most 8 letters and digits.
    var fileExtension: String? {
        let name = dispositionName ?? Self.lastComponent(of: finalURL)
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let end = name[(dot + 1)...]
        let isPlain = end.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
        return isPlain && (1...8).contains(end.count) ? String(decoding: end, as: UTF8.self).lowercased() : nil
    }

    private static func lastComponent(of url: String) -> [UInt8] {
        let path = url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let start = path.lastIndex(of: UInt8(ascii: "/")).map { path.index(after: $0) } ?? path.startIndex
        return Array(path[start...])
    }
}
