internal import Archives
internal import Checksums
internal import Delta
internal import MediaModel
internal import Pacing
internal import Running
internal import Storage
internal import Wire

/// Sends a file as what is new in it, by the description of an older version.
extension FileSender {
    /// Copies that gather before they are sent.
    private static let copiesMax = 1024

    /// - Returns: false where it changed while it was read and should be tried again.
    func sendDelta(
        of descriptor: Int32,
        _ metadata: Metadata,
        _ signature: Signature,
        _ request: FileRequest,
        _ transfer: UInt32,
        isLast: Bool,
        _ path: () -> BytePath
    ) -> Bool {
        let end: FileEnd
        do throws(ContentFault) {
            let ending = PackingPolicy.Ending(of: path().bytes)
            let sum = try sendChanges(of: descriptor, metadata, signature, transfer, ending)
            // Nothing is read of it any more.
            let after: Metadata
            do throws(FileFault) { after = try Metadata(ofOpen: descriptor) } catch { throw .read(error) }
            if !after.sameVersion(as: metadata) { throw .changed }
            end = .whole(sum)
        } catch {
            switch error {
            case .read(let fault), .write(let fault): end = .failed(failure(fault, path()))
            case .changed, .stopped: end = isLast ? .failed(changed(path())) : .again
            }
        }
        // Before the other end hears of it: it may describe the next one at once.
        if case .whole = end { window.sentDelta(request.reference) } else { window.forgetDelta(request.reference) }
        connection.send(.fileEnd(transfer: transfer, end))
        return end != .again
    }

    private func sendChanges(
        of descriptor: Int32,
        _ metadata: Metadata,
        _ signature: Signature,
        _ transfer: UInt32,
        _ ending: PackingPolicy.Ending
    ) throws(ContentFault) -> Digest {
        let block = Int64(signature.plan.blockBytes)
        var copies: [WireCopy] = []
        let flush = { [connection] in
            if copies.isEmpty { return }
            connection.send(.copies(transfer: transfer, copies))
            copies = []
        }
        digest.reset()
        var done: Int64 = 0
        let scanner = DeltaScanner(signature)
        _ = try scanner.scan { (buffer) throws(ContentFault) -> Int in
            if context.control.shouldStop { throw .stopped }
            let wanted = Int(min(metadata.size - done, Int64(buffer.count)))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count: Int
            do throws(FileFault) {
                count = try OpenFile.read(descriptor: descriptor, into: piece, at: done)
            } catch { throw .read(error) }
            if count != wanted { throw .changed }
            digest.update(UnsafeRawBufferPointer(piece))
            done += Int64(count)
            return count
        } piece: { (piece) throws(ContentFault) in
            switch piece {
            case .copy(let offset, let count):
                let blocks = (count + block - 1) / block
                copies.append(WireCopy(firstBlock: UInt32(offset / block), blocks: UInt32(blocks)))
                if copies.count == Self.copiesMax { flush() }
            case .literal(let bytes):
                flush()
                context.limiter?.spend(bytes.count, control: context.control)
                send(.piece(transfer: transfer, Array(bytes)), ending)
            }
        }
        flush()
        return digest.finish()
    }
}

extension SendWindow {
    /// What the receiver says of older versions; false where it speaks of something else.
    func takeDelta(_ message: Message) throws(WireFault) -> Bool {
        let (isTaken, fault) = state.withLock { state -> (Bool, WireFault?) in
            do throws(WireFault) {
                switch message {
                case .basis(let basis): try state.deltas.describe(basis)
                case .sums(let reference, let sums): try state.deltas.add(sums, to: reference)
                case .sendWhole(let reference): state.requests.append(.file(try state.deltas.sendWhole(reference)))
                case .built(let reference): try state.deltas.built(reference)
                default: return (false, nil)
                }
                return (true, nil)
            } catch { return (true, error) }
        }
        if let fault { throw fault }
        wakeReaders()
        return isTaken
    }

    /// A file was looked through.
    func sentDelta(_ reference: WireReference) {
        state.withLock { $0.deltas.sent(reference) }
        wakeReaders()
    }

    /// A file comes another way than as what is new in it, or not at all.
    func forgetDelta(_ reference: WireReference) {
        state.withLock { $0.deltas.forget(reference) }
        wakeReaders()
    }
}
