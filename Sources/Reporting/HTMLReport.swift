package import MediaModel

/// Everything a report of one run shows.
package struct RunReport: Sendable {
    package var run: RunRecord
    package var samples: [RunSample]
    package var sections: [ReportSection]
    /// The first failures; the record says how many there are.
    package var failures: [FailureRecord]

    package init(run: RunRecord, samples: [RunSample], sections: [ReportSection], failures: [FailureRecord]) {
        self.run = run
        self.samples = samples
        self.sections = sections
        self.failures = failures
    }
}

/// A run as one HTML file that needs nothing else: no network, no script, and a policy that forbids both. Names that
/// strangers chose are text in it and nothing more.
package enum HTMLReport {
    /// Failures that are listed; `status --errors` has all.
    package static let failuresMax = 500

    /// - Parameter now: seconds since 1970, for a run that has not ended.
    package static func text(_ report: RunReport, now: Int64) -> String {
        let run = report.run
        let title = "mediasync \(run.command) \(run.id)"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-\(styleDigest)'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title>
            <style>\(style)</style>
            </head>
            <body>
            <main>
            \(head(run, now))
            \(StageBars.text(run, now: now))
            \(ThroughputChart.text(report.samples))
            \(outcomes(run.counts))
            \(report.sections.map(table).joined(separator: "\n"))
            \(failures(report))
            </main>
            </body>
            </html>

            """
    }

    // MARK: Parts

    private static func head(_ run: RunRecord, _ now: Int64) -> String {
        let end = run.endedAt ?? (run.state == .running ? now : run.heardAt)
        var facts = [
            ("run", run.id.text), ("started", UTCTime(secondsSince1970: run.startedAt).iso8601),
            (run.endedAt == nil ? "last heard of" : "ended", UTCTime(secondsSince1970: end).iso8601),
            ("took", NumberText.clock(seconds: Int(max(0, end - run.startedAt)))),
        ]
        if let source = run.source { facts.append(("from", BytePath(source).description)) }
        if let target = run.target { facts.append(("to", BytePath(target).description)) }
        let words = run.arguments.map { BytePath.escaped(Array($0.utf8)) }.joined(separator: " ")
        facts.append(("command", "mediasync \(words)"))
        let exit = run.exitStatus.map { ", exit \($0)" } ?? ""
        let list = facts.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>" }.joined()
        let mark = run.exitStatus == 0 ? "good" : run.state == .running ? "live" : "bad"
        return """
            <h1>\(escaped(run.command)) <span class="\(mark)">\(escaped(run.state.rawValue + exit))</span></h1>
            <dl>\(list)</dl>
            """
    }

    private static func outcomes(_ counts: Counts) -> String {
        var rows = [["seen", NumberText.grouped(counts.seen)]]
        rows += counts.outcomes.filter { $0.count > 0 }.map {
            [$0.name.replacing("_", with: " "), NumberText.grouped($0.count)]
        }
        for (label, bytes) in [("written", counts.bytesWritten), ("compared", counts.bytesCompared)] where bytes > 0 {
            rows.append([label, ByteCount.describe(bytes)])
        }
        if counts.bytesDeleted > 0 { rows.append(["deleted, size", ByteCount.describe(counts.bytesDeleted)]) }
        return table(ReportSection(title: "Outcomes", columns: ["outcome", "entries"], rows: rows))
    }

    private static func failures(_ report: RunReport) -> String {
        let count = report.run.failuresKept + report.run.failuresDropped
        guard count > 0 else { return "" }
        let shown = report.failures.prefix(failuresMax)
        let rows = shown.map { failure in
            [
                failure.path.description, failure.why.map { "\(failure.what): \($0)" } ?? failure.what,
                failure.hint ?? "",
            ]
        }
        let more = count > shown.count ? ", the first \(shown.count)" : ""
        let title = "\(NumberText.count(count, "failure", "failures"))\(more)"
        return table(ReportSection(title: title, columns: ["entry", "reason", "what to do"], rows: rows), isText: true)
    }

    private static func table(_ section: ReportSection) -> String { table(section, isText: section.columns.count < 2) }

    /// - Parameter isText: no column holds numbers.
    private static func table(_ section: ReportSection, isText: Bool) -> String {
        let head = section.columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        let body = section.rows.map { row in
            "<tr>" + row.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
        }.joined(separator: "\n")
        return """
            <section>
            <h2>\(escaped(section.title))</h2>
            <div class="wide"><table\(isText ? " class=\"text\"" : "")>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)
            </tbody>
            </table></div>
            </section>
            """
    }

    /// Text that is text wherever it stands, in an attribute too.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\u{0}"..<" ", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    // MARK: Looks

    /// The policy names it by its digest, so that nothing else can style the page; a test compares the two.
    static let styleDigest = "rsTk1UWG1Q8zEmaLJYznpOx2h4GifkJlQybzhze76bs="

    static let style = """
        :root{color-scheme:light dark;--line:#8884;--bytes:#2a7de1;--items:#e1762a}
        body{font:15px/1.5 system-ui,sans-serif;margin:0}
        main{max-width:72rem;margin:0 auto;padding:1.5rem}
        h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
        h1 span{font-size:1rem;padding:.1rem .6rem;border-radius:1rem;color:#fff}
        .good{background:#2a8a4a}.bad{background:#b3372e}.live{background:#2a7de1}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}
        dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
        .wide{overflow-x:auto}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums}
        th,td{padding:.2rem .8rem .2rem 0;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
        th:first-child,td:first-child,.text th,.text td{text-align:left;overflow-wrap:anywhere}
        svg{width:100%;height:auto;display:block}
        svg text{font:12px system-ui,sans-serif;fill:currentColor}
        .axis{stroke:currentColor;opacity:.3}.bytes{fill:none;stroke:var(--bytes);stroke-width:2}
        .items{fill:none;stroke:var(--items);stroke-width:2}.bar{fill:var(--bytes);opacity:.7}
        """
}
