import ArgumentParser

/// Where Mastodon is: its settings, and with them its database and its media.
struct MastodonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Mastodon's settings. Default: $MEDIASYNC_ENV_FILE, then the usual places.",
            valueName: "path"
        )
    )
    var envFile: String?

    @Option(
        help: ArgumentHelp(
            "Where its media are. Default: $MEDIASYNC_MEDIA_ROOT, PAPERCLIP_ROOT_PATH, then public/system beside the settings.",
            valueName: "dir"
        )
    )
    var mediaRoot: String?
}
