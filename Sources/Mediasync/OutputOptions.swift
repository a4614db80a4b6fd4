import ArgumentParser
import MediaModel
import Reporting

/// Flags that every command has.
struct OutputOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "No progress and no notices; failures and the exit code stay.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "A line for every entry, not for failures alone.")
    var verbose = false

    @Flag(help: "JSON lines on standard output (docs/json.md).")
    var json = false

    @Option(help: ArgumentHelp("When to colour: auto, never, always.", valueName: "when"))
    var color = ColorChoice.auto

    @Option(help: ArgumentHelp("Write Prometheus metrics to this file at the end, failed or not.", valueName: "path"))
    var metricsFile: String?

    @Option(help: ArgumentHelp("Write a report of the run to this file: HTML, nothing beside it.", valueName: "path"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Tell a health check: URL/start at the begin, URL at the end, URL/fail where it did not go well.",
            valueName: "url"
        )
    )
    var ping: String?

    @Option(
        help: ArgumentHelp(
            "Where runs are recorded. Default: $MEDIASYNC_STATE, /var/lib/mediasync for root, else below "
                + "$XDG_STATE_HOME.",
            valueName: "dir"
        )
    )
    var state: String?

    @OptionGroup var configuration: ConfigurationOptions
}

extension OutputOptions {
    /// For commands whose standard output is data: no report there.
    func silencedReport() -> OutputOptions {
        var silenced = self
        silenced.quiet = true
        silenced.verbose = false
        return silenced
    }
}

extension ColorChoice: ExpressibleByArgument {}
