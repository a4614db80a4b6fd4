import ArgumentParser

/// Where Mastodon's database is: from Mastodon's own settings.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Mastodon's settings. Default: $MEDIASYNC_ENV_FILE, then the usual places.",
            valueName: "path"
        )
    )
    var envFile: String?
}
