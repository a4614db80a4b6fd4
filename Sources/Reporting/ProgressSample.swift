package import MediaModel

/// How far a run is: what the engine counted, and what it will count when it is done, where that is known.
package struct ProgressSample: Sendable, Equatable {
    package var counts: Counts
    /// Entries of the whole run; nil while nobody knows.
    package var totalEntries: Int?
    /// Bytes of all files of the whole run.
    package var totalBytes: Int64?
    /// How far the present stage is, where its work is not counted by entries.
    package var work: WorkProgress?
    /// Other fields for the live lines; names in them are escaped.
    package var activity: [String]

    package init(
        counts: Counts,
        totalEntries: Int? = nil,
        totalBytes: Int64? = nil,
        work: WorkProgress? = nil,
        activity: [String] = []
    ) {
        self.counts = counts
        self.totalEntries = totalEntries
        self.totalBytes = totalBytes
        self.work = work
        self.activity = activity
    }

    /// Bytes moved: written, or read for comparing.
    var bytesMoved: Int64 { counts.bytesWritten + counts.bytesCompared }
}

/// A moment of a run: how long it has been running (monotonic) and what the wall clock says.
package struct ReportTime: Sendable, Equatable {
    package var elapsed: Duration
    package var secondsSince1970: Int64

    package init(elapsed: Duration, secondsSince1970: Int64) {
        self.elapsed = elapsed
        self.secondsSince1970 = secondsSince1970
    }
}
