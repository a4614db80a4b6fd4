import ArgumentParser
import Fetching
import MediaModel
import Pacing
import Refreshing

/// How politely other servers are asked.
struct PaceArguments: ParsableArguments {
    @Option(
        name: [.customShort("j"), .customLong("concurrency")],
        help: ArgumentHelp("Transfers at a time.", valueName: "n")
    )
    var concurrency = 64

    @Option(help: ArgumentHelp("Transfers at a time from one host.", valueName: "n")) var perHost = 6

    @Option(help: ArgumentHelp("Requests a second to one host, or 30/m: a minute.", valueName: "n"))
    var rate = RequestRateArgument(perSecond: 20)

    @Option(help: ArgumentHelp("Bytes a second of all transfers, e.g. 20M.", valueName: "rate"))
    var bwlimit: SizeArgument?

    @Option(help: ArgumentHelp("Stop cleanly after so long, e.g. 2h; the next run goes on.", valueName: "time"))
    var maxDuration: DurationArgument?

    @Option(help: ArgumentHelp("The longest a transfer may take. Default: 30s, as Mastodon.", valueName: "time"))
    var timeout: DurationArgument?

    @Flag(help: "Do not ask accounts' servers for the new addresses of avatars and headers.") var noActorLookup = false

    func validate() throws {
        if !(1...4096).contains(concurrency) { throw ValidationError("--concurrency is a number from 1 to 4096") }
        if !(1...256).contains(perHost) { throw ValidationError("--per-host is a number from 1 to 256") }
        if !(0.01...10_000).contains(rate.perSecond) {
            throw ValidationError("--rate is a number of requests a second")
        }
    }

    func apply(to options: inout FetchOptions) {
        options.inFlight = concurrency
        options.bytesPerSecond = bwlimit?.bytes
        if let timeout { options.deadlines.total = timeout.duration }
    }

    func apply(to options: inout RefreshOptions) {
        options.looksUpActors = !noActorLookup
        options.durationMax = maxDuration?.duration
        options.pace.inFlight = concurrency
        options.pace.perHost = perHost
        options.pace.perHostMaximum = perHost
        options.pace.rate = rate.perSecond
        options.pace.seed = UInt64.random(in: 0...UInt64.max)
    }
}
