/// A table of a run's report: what an engine has to say beside its counts. Cells are text for people; names of strangers in
/// them are escaped already.
package struct ReportSection: Sendable, Equatable, Codable {
    package var title: String
    /// The first column names the row; the others are flush right.
    package var columns: [String]
    package var rows: [[String]]

    package init(title: String, columns: [String], rows: [[String]]) {
        self.title = title
        self.columns = columns
        self.rows = rows
    }
}

/// How far a run was at a moment.
package struct RunSample: Sendable, Equatable {
    /// Seconds since 1970.
    package var at: Int64
    /// Entries that had reached an outcome.
    package var items: Int
    /// Bytes written, or read for comparing.
    package var bytes: Int64

    package init(at: Int64, items: Int, bytes: Int64) {
        self.at = at
        self.items = items
        self.bytes = bytes
    }
}

/// How far a run is.
package struct RunProgress: Sendable, Equatable {
    package var counts: Counts
    /// The part of the present stage that is done, from 0 to 1; nil where nobody knows.
    package var share: Double?

    package init(counts: Counts, share: Double? = nil) {
        self.counts = counts
        self.share = share
    }
}
