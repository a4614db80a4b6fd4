internal import MediaModel
internal import Storage

/// Whether a tar archive is all there, by the headers of its members and its end. `pg_restore` does not tell: of one that was
/// cut it reads the end for ever, or does not miss what stands behind the last table.
enum TarLayout {
    private static let block = 512
    /// More members than the archive of any database has.
    private static let membersMax = 1 << 20

    /// Reads the headers only. Blocks.
    /// - Parameters:
    ///   - descriptor: kept open by somebody else.
    ///   - size: of the file.
    static func check(_ descriptor: Int32, size: Int64, path: BytePath) throws(SyncError) {
        var offset: Int64 = 0
        for _ in 0..<membersMax {
            let header = try read(descriptor, at: offset, path)
            guard header.count == block else { throw cut(offset) }
            if isZero(header) {
                // Two blocks of zeros are the end.
                let second = try read(descriptor, at: offset + Int64(block), path)
                guard second.count == block, isZero(second) else { throw cut(offset) }
                return
            }
            guard let bytes = memberBytes(header) else {
                throw DumpError.broken("the tar header at byte \(offset) is damaged")
            }
            let whole = Int64(block) - 1
            let (padded, overflow) = bytes.addingReportingOverflow(whole)
            guard !overflow, padded < size else { throw cut(offset) }
            offset += Int64(block) + (padded & ~whole)
            guard offset < size else { throw cut(size) }
        }
        throw DumpError.broken("it has more than \(membersMax) members")
    }

    private static func cut(_ offset: Int64) -> SyncError {
        DumpError.broken("its end is not there: the tar archive was cut off, or is damaged at byte \(offset)")
    }

    private static func read(_ descriptor: Int32, at offset: Int64, _ path: BytePath) throws(SyncError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(FileFault) in
                try OpenFile.read(descriptor: descriptor, into: buffer, at: offset)
            }
        }
        do throws(FileFault) {
            return Array(bytes.prefix(try result.get()))
        } catch {
            throw error.syncError("cannot read the dump \(path)")
        }
    }

    private static func isZero(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 == 0 } }

    /// The member's size; nil where the header's checksum is wrong.
    static func memberBytes(_ header: [UInt8]) -> Int64? {
        let sumField = 148..<156
        var sum: Int64 = 0
        for (index, byte) in header.enumerated() { sum += sumField.contains(index) ? 0x20 : Int64(byte) }
        guard number(header[sumField]) == sum else { return nil }
        return number(header[124..<136])
    }

    /// Octal digits, or for members of 8 GiB and more a binary number behind a set bit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            for byte in field.suffix(8) { value = value << 8 | Int64(byte) }
            return value >= 0 ? value : nil
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty else { return nil }
        for byte in digits {
            guard (0x30...0x37).contains(byte) else { return nil }
            value = value << 3 | Int64(byte - 0x30)
        }
        return value
    }
}
