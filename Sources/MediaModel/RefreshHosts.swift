/// The hosts that a refresh asked, for the lines at its end.
package struct RefreshHosts: Sendable, Equatable {
    /// Asked for at least one file.
    package var asked = 0
    /// Of these, said at least once that it was too much (429, 503).
    package var throttled = 0
    /// Of these, did not answer when they were asked last.
    package var silent = 0
    /// Names of the first of them, escaped.
    package var silentNames: [String] = []
    /// Those that took longest for a file, slowest first.
    package var slowest: [Slow] = []

    /// One host and how long it takes for a file, lately and on average.
    package struct Slow: Sendable, Equatable {
        /// Escaped.
        package var name: String
        package var seconds: Double

        package init(name: String, seconds: Double) {
            self.name = name
            self.seconds = seconds
        }
    }

    package init() {}
}
