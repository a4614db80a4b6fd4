package import MediaModel

/// What a run's reporter shows, and where.
package struct ReporterOptions: Sendable {
    /// What goes to standard output.
    package enum Output: Sendable {
        case text
        /// One JSON object a line.
        case json
    }

    /// How progress is shown.
    package enum Progress: Sendable {
        case none
        /// Lines on standard error that are redrawn.
        case live
        /// One plain line a minute and at every stage's end: on standard error, or as a status object with JSON.
        case lines
    }

    package var command: String
    package var run: RunID
    package var output: Output
    package var progress: Progress
    package var usesColor: Bool
    /// `-q`: no progress, no notices, no report of a run without trouble. Warnings and failures stay.
    package var isQuiet: Bool
    /// `-v`: a line, or an item object, for every entry and not only for failed ones.
    package var isVerbose: Bool
    /// `--itemize`: rsync's line for every change.
    package var itemizes: Bool
    /// `--stats`.
    package var showsStats: Bool

    package init(
        command: String,
        run: RunID,
        output: Output = .text,
        progress: Progress = .none,
        usesColor: Bool = false,
        isQuiet: Bool = false,
        isVerbose: Bool = false,
        itemizes: Bool = false,
        showsStats: Bool = false
    ) {
        self.command = command
        self.run = run
        self.output = output
        self.progress = progress
        self.usesColor = usesColor
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
        self.itemizes = itemizes
        self.showsStats = showsStats
    }

    /// Whether the engine has to send events for entries that did not fail.
    package var wantsEveryItem: Bool { isVerbose || itemizes }
}
