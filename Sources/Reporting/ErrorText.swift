package import MediaModel

/// Errors and warnings as a person reads them: what, why, what to do.
package enum ErrorText {
    /// ```
    /// error: what
    ///   why:  reason
    ///   hint: advice
    /// ```
    /// A refusal of a safety guard begins with `refusing:`. Ends with a line's end.
    package static func block(_ error: SyncError, usesColor: Bool = false) -> String {
        let palette = Palette(isEnabled: usesColor)
        let label = error.code == .refused ? "refusing:" : "error:"
        return palette.red(label) + " \(error.what)\n" + details(why: error.why, hint: error.hint)
    }

    /// The same for something that does not stop the run.
    package static func warning(_ error: SyncError, usesColor: Bool = false) -> String {
        warning(error.what, why: error.why, hint: error.hint, usesColor: usesColor)
    }

    package static func warning(_ what: String, why: String? = nil, hint: String?, usesColor: Bool = false) -> String {
        Palette(isEnabled: usesColor).yellow("warning:") + " \(what)\n" + details(why: why, hint: hint)
    }

    /// One line for one failed entry. The path is put first unless the error names it already.
    static func failureLine(path: BytePath, error: SyncError, usesColor: Bool) -> String {
        let name = path.description
        let text = error.what.contains(name) ? error.description : "\(name): \(error.description)"
        return Palette(isEnabled: usesColor).red("failed:") + " \(text)\n"
    }

    private static func details(why: String?, hint: String?) -> String {
        (why.map { "  why:  \($0)\n" } ?? "") + (hint.map { "  hint: \($0)\n" } ?? "")
    }
}
