import MediaModel
import Pipeline
import Reporting

extension RunStore {
    /// Writes the report of a run, whole or not at all.
    /// - Parameter now: seconds since 1970, for a run that has not ended.
    func writeReport(of run: RunID, to path: String, now: Int64) throws(SyncError) {
        guard let record = try self.run(run) else {
            throw SyncError(.usage, "there is no run \(run)", hint: "mediasync status --list shows the last runs")
        }
        let report = RunReport(
            run: record,
            samples: try samples(of: run),
            sections: try sections(of: run),
            failures: try failures(of: run, limit: HTMLReport.failuresMax).failures
        )
        let text = HTMLReport.text(report, now: now)
        try MetricsFile.write(text, to: path, unique: run.text, what: ("report", "--report"))
    }
}
