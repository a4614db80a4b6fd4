/// A row with files: its number and what it says it has here. A row without files has no media.
package struct CatalogRow: Sendable, Equatable {
    package let table: CatalogTable
    package let id: Int64
    package let isRemote: Bool
    /// In the table's order of kinds; attachments whose name is blank are left out.
    package let media: [StoredMedia]

    package init(table: CatalogTable, id: Int64, isRemote: Bool, media: [StoredMedia]) {
        self.table = table
        self.id = id
        self.isRemote = isRemote
        self.media = media
    }
}

/// Some rows in the order of their numbers, and where the next ones begin.
package struct CatalogPage: Sendable {
    package let rows: [CatalogRow]
    /// The number to read on after; nil behind the last row.
    package let next: Int64?
}
