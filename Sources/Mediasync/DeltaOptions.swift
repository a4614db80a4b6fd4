import ArgumentParser
import Copying

/// How files are made that the target has in an older version, or under another name.
struct DeltaOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Send only what is new in files that changed: auto (between machines, where it pays), always, never.",
            valueName: "when"
        )
    )
    var delta = CopyOptions.DeltaMode.auto

    @Flag(help: "Between machines: make new files from others in DST with the same content, e.g. after a rename.")
    var detectRenames = false
}

extension CopyOptions.DeltaMode: ExpressibleByArgument {}
