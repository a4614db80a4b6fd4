/// What was found out about one thing that a server needs: its value, where that came from, and whether it will do.
package struct Finding: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case good
        /// It works, but something will not, or not for long.
        case warning
        /// Commands will fail, with this class of error.
        case problem(SyncError.Code)

        /// The verdict as programs read it.
        package var name: String {
            switch self {
            case .good: "ok"
            case .warning: "warning"
            case .problem: "problem"
            }
        }
    }

    /// A few words that stay the same: `media root`.
    package var name: String
    /// Without secrets; names of strangers are escaped already.
    package var value: String
    /// Who says so; nil where nobody does.
    package var origin: String?
    package var verdict: Verdict
    /// What to do about it.
    package var remedy: String?

    package init(
        _ name: String,
        _ value: String,
        origin: String? = nil,
        verdict: Verdict = .good,
        remedy: String? = nil
    ) {
        self.name = name
        self.value = value
        self.origin = origin
        self.verdict = verdict
        self.remedy = remedy
    }
}

/// One setting as `doctor --show-config` tells it.
package struct SettingLine: Sendable, Equatable {
    package var name: String
    /// Secrets are masked; nil where it is not set.
    package var value: String?
    package var origin: String

    package init(name: String, value: String?, origin: String) {
        self.name = name
        self.value = value
        self.origin = origin
    }
}
