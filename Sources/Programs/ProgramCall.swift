package import MediaModel

/// A program to be run: its arguments, and all of its environment. Nothing of this process's own is handed on by itself.
package struct ProgramCall: Sendable {
    package var path: BytePath
    package var arguments: [BytePath]
    package var environment: [String: String]

    /// What a program gets that needs nothing of ours.
    package static let bareEnvironment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]

    package init(
        _ path: BytePath,
        _ arguments: [BytePath],
        environment: [String: String] = ProgramCall.bareEnvironment
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }
}
