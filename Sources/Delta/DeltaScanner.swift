internal import CDelta

/// Describes a file by what an older version of it has, from that one's signature alone.
///
/// Time is linear in the file's length whatever is in the two: windows that look like a known block and are none cost a
/// strong checksum each; when those have cost four times the file, windows no longer move by a byte but by a block.
package struct DeltaScanner {
    /// Bytes that are looked at together.
    private static let chunkBytes = 1 << 20
    /// Literals are handed over in pieces no longer than this.
    package static let literalBytesMax = 256 << 10
    /// Strong checksums in vain, in times of what was read so far, and a start.
    private static let patience: Int64 = 4
    private static let patienceStart: Int64 = 16 << 20

    private let signature: Signature
    private let index: BlockIndex

    package init(_ signature: Signature) {
        self.signature = signature
        index = BlockIndex(signature)
    }

    /// Reads the new file from its begin to its end, and tells it piece by piece.
    /// - Parameters:
    ///   - read: fills a buffer with the next bytes, as many as there are up to its size; 0 at the end.
    ///   - piece: takes the pieces in their order; copies that follow each other are told as one.
    package func scan<Failure: Error>(
        read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int,
        piece: (DeltaPiece) throws(Failure) -> Void
    ) throws(Failure) -> DeltaFigures {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 2 * Self.chunkBytes + 2 * signature.plan.blockBytes,
            alignment: 64
        )
        defer { buffer.deallocate() }
        var state = ScanState(buffer: buffer, signature: signature, index: index)
        while true {
            try state.fill(read)
            if try state.advance(piece) { return try state.finish(piece) }
        }
    }

    /// The window that moves over the new file.
    private struct ScanState {
        let buffer: UnsafeMutableRawBufferPointer
        let signature: Signature
        let index: BlockIndex
        var figures = DeltaFigures()
        /// What of the buffer is filled, where the window begins, and where the bytes begin that nothing was told of yet.
        private var filled = 0
        private var position = 0
        private var literal = 0
        private var isAtEnd = false
        /// The block behind the one that matched last: most likely the next one.
        private var expected: Int?
        private var pendingCopy: (offset: Int64, count: Int64)?
        private var readBytes: Int64 = 0
        private var wastedBytes: Int64 = 0

        init(buffer: UnsafeMutableRawBufferPointer, signature: Signature, index: BlockIndex) {
            self.buffer = buffer
            self.signature = signature
            self.index = index
        }

        private var block: Int { signature.plan.blockBytes }

        private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: buffer[range])
        }

        /// Reads on, over what was told already.
        mutating func fill<Failure: Error>(
            _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
        ) throws(Failure) {
            if literal > 0 {
                buffer.copyMemory(from: bytes(literal..<filled))
                position -= literal
                filled -= literal
                literal = 0
            }
            while !isAtEnd, filled < buffer.count {
                let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
                if count == 0 { isAtEnd = true }
                filled += count
                readBytes += Int64(count)
            }
        }

        /// Goes on as far as the buffer allows. True at the end of the file.
        mutating func advance<Failure: Error>(_ piece: (DeltaPiece) throws(Failure) -> Void) throws(Failure) -> Bool {
            while filled - position >= block {
                if let next = expected, matches(next, at: position) {
                    try tell(next, piece)
                    continue
                }
                expected = nil
                // A window needs a byte behind it to move; at the file's end the last one is there all the same.
                let last = filled - block - (isAtEnd ? 0 : 1)
                guard position <= last else { break }
                try search(upTo: last, piece)
                if position > last, !isAtEnd { break }
            }
            // What cannot become part of a match any more goes, so that there is room.
            let settled = isAtEnd ? literal : max(literal, position)
            try tellLiteral(upTo: settled, piece)
            return isAtEnd
        }

        /// Looks for the next window that is a known block.
        private mutating func search<Failure: Error>(
            upTo last: Int,
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) {
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            var sums = Signature.sums(bytes(position..<position + block))
            while true {
                let found = index.filter.withUnsafeBufferPointer { filter in
                    // The reach of a window that moves is one byte more than the window.
                    mds_find_window(base, position, last, block, &sums, filter.baseAddress, index.shift)
                }
                position = found
                try tellLiterals(piece)
                guard found <= last else {
                    // At `last` itself nothing was known either.
                    if isAtEnd { position = filled - block + 1 }
                    return
                }
                if let number = known(mds_weak(sums)) { return try tell(number, piece) }
                guard position < last else {
                    position += 1
                    return
                }
                if wastedBytes > DeltaScanner.patienceStart + DeltaScanner.patience * readBytes {
                    position = min(last, position + block)
                    sums = Signature.sums(bytes(position..<position + block))
                } else {
                    sums = mds_roll(sums, UInt32(block), base[position], base[position + block])
                    position += 1
                }
            }
        }

        /// The block that the window is, by both checksums.
        private mutating func known(_ weak: UInt32) -> Int? {
            let candidates = index.candidates(weak, signature)
            guard !candidates.isEmpty else { return nil }
            let strong = Signature.strong(bytes(position..<position + block), signature.plan, signature.seed)
            for candidate in candidates {
                let number = index.block(at: candidate)
                if signature.strong[number] == strong { return number }
            }
            wastedBytes += Int64(block)
            figures.falseAlarms += 1
            return nil
        }

        private func matches(_ number: Int, at position: Int) -> Bool {
            let count = signature.plan.bytes(of: number)
            guard filled - position >= count else { return false }
            let window = bytes(position..<position + count)
            return Signature.weak(window) == signature.weak[number]
                && Signature.strong(window, signature.plan, signature.seed) == signature.strong[number]
        }

        /// The last block may be shorter than the others: it is looked for where the new file ends.
        private func lastBlockPosition() -> Int? {
            let plan = signature.plan
            guard plan.lastBytes < plan.blockBytes, filled - literal >= plan.lastBytes else { return nil }
            let position = filled - plan.lastBytes
            return matches(plan.blockCount - 1, at: position) ? position : nil
        }

        mutating func finish<Failure: Error>(
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) -> DeltaFigures {
            if let last = lastBlockPosition() {
                position = last
                try tell(signature.plan.blockCount - 1, piece)
            }
            try tellLiteral(upTo: filled, piece)
            try tellCopy(piece)
            return figures
        }

        // MARK: Telling

        private mutating func tell<Failure: Error>(
            _ number: Int,
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) {
            try tellLiteral(upTo: position, piece)
            let plan = signature.plan
            let (offset, count) = (plan.offset(of: number), plan.bytes(of: number))
            if let pending = pendingCopy, pending.offset + pending.count == offset {
                pendingCopy = (pending.offset, pending.count + Int64(count))
            } else {
                try tellCopy(piece)
                pendingCopy = (offset, Int64(count))
            }
            position += count
            literal = position
            expected = number + 1 < plan.blockCount ? number + 1 : nil
        }

        private mutating func tellCopy<Failure: Error>(
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) {
            guard let pending = pendingCopy else { return }
            pendingCopy = nil
            figures.matchedBytes += pending.count
            try piece(.copy(offset: pending.offset, count: pending.count))
        }

        /// Whole pieces of what lies before the window.
        private mutating func tellLiterals<Failure: Error>(
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) {
            while position - literal >= DeltaScanner.literalBytesMax {
                try tellLiteral(upTo: literal + DeltaScanner.literalBytesMax, piece)
            }
        }

        private mutating func tellLiteral<Failure: Error>(
            upTo end: Int,
            _ piece: (DeltaPiece) throws(Failure) -> Void
        ) throws(Failure) {
            guard end > literal else { return }
            try tellCopy(piece)
            while literal < end {
                let next = min(end, literal + DeltaScanner.literalBytesMax)
                figures.literalBytes += Int64(next - literal)
                try piece(.literal(bytes(literal..<next)))
                literal = next
            }
        }
    }
}
