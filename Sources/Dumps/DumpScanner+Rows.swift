internal import Glibc
internal import MediaModel

extension DumpScanner {
    /// Only spaces may stand behind the `;` of COPY; the rows begin on the next line.
    func scanCopyLine(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            index += 1
            if byte == 0x0A {
                line += 1
                mode = .rows
                return index
            }
            guard SQLByte.isSpace(byte) else {
                throw DumpError.broken("something stands behind COPY on its line", line: line)
            }
        }
        return index
    }

    /// Rows up to the end of the block or of the piece. Whole ones are handed over where they lie.
    func scanRows(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        guard let base = piece.baseAddress else { return start }
        var begin = start
        if !carriedRow.isEmpty {
            begin = try completeRow(piece, start)
            if mode != .rows || begin == piece.count { return begin }
        }
        var index = begin
        var count = 0
        while index < piece.count {
            guard let found = memchr(base + index, 0x0A, piece.count - index) else { break }
            let next = UnsafeRawPointer(found) - base + 1
            if piece[index] == 0x5C, piece[index + 1] == 0x2E {
                try handRows(piece, begin, index, count)
                try endRows(UnsafeRawBufferPointer(rebasing: piece[index..<next]))
                return next
            }
            count += 1
            index = next
        }
        try handRows(piece, begin, index, count)
        if index < piece.count { try carry(piece, index, piece.count) }
        return piece.count
    }

    private func handRows(_ piece: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ count: Int) throws(SyncError) {
        if count == 0 { return }
        try handler.rows(UnsafeRawBufferPointer(rebasing: piece[start..<end]), count: count, line: line)
        line += count
    }

    private func carry(_ piece: UnsafeRawBufferPointer, _ start: Int, _ end: Int) throws(SyncError) {
        guard carriedRow.count + (end - start) <= bounds.rowMax else {
            throw DumpError.broken("the row is longer than \(ByteCount.describe(Int64(bounds.rowMax)))", line: line)
        }
        carriedRow.append(contentsOf: piece[start..<end])
    }

    /// The rest of a row that an earlier piece began.
    private func completeRow(_ piece: UnsafeRawBufferPointer, _ start: Int) throws(SyncError) -> Int {
        guard let base = piece.baseAddress, let found = memchr(base + start, 0x0A, piece.count - start) else {
            try carry(piece, start, piece.count)
            return piece.count
        }
        let next = UnsafeRawPointer(found) - base + 1
        try carry(piece, start, next)
        let row = carriedRow
        carriedRow.removeAll(keepingCapacity: row.count <= 1 << 20)
        if row[0] == 0x5C, row[1] == 0x2E {
            let error = row.withUnsafeBytes { row -> SyncError? in
                do throws(SyncError) {
                    try endRows(row)
                    return nil
                } catch { return error }
            }
            if let error { throw error }
            return next
        }
        let error = row.withUnsafeBytes { row -> SyncError? in
            do throws(SyncError) {
                try handRows(row, 0, row.count, 1)
                return nil
            } catch { return error }
        }
        if let error { throw error }
        return next
    }

    /// A line that begins with `\.`: the end of the block, or no row at all.
    private func endRows(_ row: UnsafeRawBufferPointer) throws(SyncError) {
        guard row.count == 3 || row.count == 4 && row[2] == 0x0D else {
            throw DumpError.broken("a row begins with \\. but the mark is not alone on its line", line: line)
        }
        mode = .between
        try handler.rowsEnd(line: line)
        line += 1
    }
}
