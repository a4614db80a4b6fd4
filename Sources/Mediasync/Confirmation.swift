import Foundation
import MediaModel
import Reporting

/// Asks a person before something is done that changes a database.
enum Confirmation {
    /// True where somebody at a terminal says yes; false where there is no terminal.
    static func ask(_ question: String) -> Bool {
        guard isatty(0) == 1, TerminalSupport.isTerminal(2) else { return false }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        let answer = readLine(strippingNewline: true)?.lowercased()
        return answer == "y" || answer == "yes"
    }
}
