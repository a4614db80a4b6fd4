internal import CLinux
internal import Glibc

/// `--color`.
package enum ColorChoice: String, Sendable, CaseIterable {
    case auto, never, always
}

/// What a descriptor's terminal can do. The environment is passed in, never read.
package struct TerminalSupport: Sendable, Equatable {
    /// Live lines may be redrawn.
    package var canRedraw: Bool
    package var usesColor: Bool

    package init(canRedraw: Bool, usesColor: Bool) {
        self.canRedraw = canRedraw
        self.usesColor = usesColor
    }

    /// `--color` decides where it is given. Else there is colour on a terminal, unless `NO_COLOR` is set and not empty or
    /// `TERM` is `dumb`. Lines are redrawn only on a terminal that is not dumb.
    package init(isTerminal: Bool, color: ColorChoice, environment: [String: String]) {
        let isDumb = environment["TERM"] == "dumb"
        let refusesColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        canRedraw = isTerminal && !isDumb
        usesColor =
            switch color {
            case .always: true
            case .never: false
            case .auto: isTerminal && !isDumb && !refusesColor
            }
    }

    /// Whether the descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The terminal's width; nil where it is none or does not say.
    package static func columns(_ descriptor: Int32) -> Int? {
        let columns = mds_terminal_columns(descriptor)
        return columns > 0 ? Int(columns) : nil
    }
}

/// The few colours used, as escape sequences or nothing.
struct Palette: Sendable {
    let isEnabled: Bool

    func red(_ text: String) -> String { wrap(text, "31;1") }
    func yellow(_ text: String) -> String { wrap(text, "33;1") }
    func faint(_ text: String) -> String { wrap(text, "2") }

    private func wrap(_ text: String, _ code: String) -> String {
        isEnabled ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
