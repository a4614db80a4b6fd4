package import MediaModel

/// Where run state is kept.
package enum StateLocation {
    /// The flag, then `MEDIASYNC_STATE`, then `/var/lib/mediasync` for root, then `$XDG_STATE_HOME/mediasync`, then
    /// `~/.local/state/mediasync`. Empty values count as unset, and so does a relative `XDG_STATE_HOME`, as its
    /// specification asks.
    /// - Parameter environment: passed in, never read here.
    package static func resolve(
        flag: String? = nil,
        environment: [String: String],
        isRoot: Bool
    ) throws(SyncError) -> String {
        if let flag, !flag.isEmpty { return flag }
        if let path = environment["MEDIASYNC_STATE"], !path.isEmpty { return path }
        if isRoot { return "/var/lib/mediasync" }
        if let path = environment["XDG_STATE_HOME"], path.hasPrefix("/") { return path + "/mediasync" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/state/mediasync" }
        throw SyncError(
            .configuration,
            "there is no place for the run state",
            why: "neither HOME nor XDG_STATE_HOME is set",
            hint: "set MEDIASYNC_STATE to a directory"
        )
    }
}
