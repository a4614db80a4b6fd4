import ArgumentParser

/// Where options are set beforehand. Read before the command line is (`CommandLineStart`): here for the help.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Options set beforehand (YAML). Default: $MEDIASYNC_CONFIG, else /etc/mediasync/config.yaml where it is.",
            valueName: "path"
        )
    )
    var config: String?
}
