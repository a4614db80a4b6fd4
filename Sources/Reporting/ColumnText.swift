extension String {
    /// Without the spaces that an empty last column leaves.
    fileprivate var trimmingSpaces: Substring {
        let end = utf8.lastIndex { $0 != UInt8(ascii: " ") }.map { utf8.index(after: $0) } ?? startIndex
        return self[..<end]
    }
}

/// Rows of cells as lines of text: the first column flush left, the others flush right, two spaces between.
enum ColumnText {
    /// - Parameter rows: all as long as the first; empty gives an empty text.
    static func text(_ rows: [[String]]) -> String {
        guard let head = rows.first else { return "" }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { index, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return index == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ").trimmingSpaces + "\n"
        }.joined()
    }
}
