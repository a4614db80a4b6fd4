package import MediaModel

/// A Mastodon server's settings: its env file and the process's environment, which wins, as it does for Mastodon itself.
/// Every value is told with its origin. Files are read through what is passed in.
package struct MastodonSettings: Sendable {
    /// A value as it is written, and where.
    package struct Value: Sendable, Equatable {
        package let text: String
        package let origin: SettingOrigin
    }

    /// A file or directory, and who named it.
    package struct Place: Sendable, Equatable {
        package let path: BytePath
        package let origin: SettingOrigin
    }

    /// Nil where none was found: the environment must say everything then.
    package let envFile: Place?
    private let file: EnvironmentFile
    private let environment: [String: String]
    /// Of variables that were set for the user: where their values came from.
    private let origins: [String: SettingOrigin]

    /// Where installations by the official guide, in containers and the snap keep them.
    package static let usualPlaces = [
        "/home/mastodon/live/.env.production", "/opt/mastodon/.env.production", "/var/www/mastodon/.env.production",
        "/var/snap/mastodon-server/common/mastodon.conf",
    ]
    /// Settings files are some kilobytes.
    package static let envFileBytesMax = 1 << 20

    /// - Parameters:
    ///   - envFile: what `--env-file` names; else `MEDIASYNC_ENV_FILE` does, else the first usual place that is readable.
    ///   - origins: who set a variable where that was not whoever started the process.
    ///   - isReadable: whether a file can be read.
    ///   - read: its content; called once at most.
    /// - Throws: an error with the code `configuration` where a file that was named or found cannot be read.
    package init(
        envFile flag: BytePath?,
        environment: [String: String],
        origins: [String: SettingOrigin] = [:],
        isReadable: (String) -> Bool,
        read: (BytePath) throws(SyncError) -> [UInt8]
    ) throws(SyncError) {
        self.environment = environment
        self.origins = origins
        let variable = "MEDIASYNC_ENV_FILE"
        if let flag {
            envFile = Place(path: flag, origin: .flag("--env-file"))
        } else if let named = environment[variable], !named.isEmpty {
            envFile = Place(path: BytePath(named), origin: origins[variable] ?? .environment(variable))
        } else {
            let found = Self.usualPlaces.first(where: isReadable)
            envFile = found.map { Place(path: BytePath($0), origin: .usualPlace) }
        }
        guard let envFile else {
            file = EnvironmentFile([])
            return
        }
        do throws(SyncError) {
            file = EnvironmentFile(try read(envFile.path))
        } catch {
            throw SyncError(.configuration, error.what, why: error.why, hint: "check --env-file")
        }
    }

    /// A setting by its name; empty ones are told as they are.
    package subscript(_ name: String) -> Value? {
        if let text = environment[name] { return Value(text: text, origin: origins[name] ?? .environment(name)) }
        guard let text = file[name], let envFile else { return nil }
        return Value(text: text, origin: .file(name, envFile.path))
    }

    /// A setting that says something.
    package func filled(_ name: String) -> Value? { self[name].flatMap { $0.text.isEmpty ? nil : $0 } }

    /// Lines of the env file that are no assignment, by number.
    package var strangeLines: [Int] { file.strangeLines }
}
