package import MediaModel

/// Why a file was not processed. One item's failure: the others go on.
package struct ProcessingFault: Error, Hashable, Sendable {
    /// What an engine must tell apart.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// The bytes are of no type that is known.
        case unknownType
        /// A known type that is not accepted here: SVG, HTML, a video as an avatar.
        case typeNotAllowed
        /// The content is of another kind than the extension says.
        case spoofed
        /// More bytes than accepted, before or after processing.
        case tooLarge
        /// More pixels, or frames a second, than accepted.
        case tooManyPixels
        /// The file ends in the middle of its content.
        case truncated
        case undecodable
        /// The decoder died.
        case crashed
        case timedOut
        case outOfMemory
        /// The output could not be written: no space or quota left.
        case noSpace
        /// The input could not be read, or the output not written, for another reason.
        case unreadable
        /// A program or library that is needed is not there.
        case unavailable
        /// The pool was shut down.
        case stopped
    }

    package var kind: Kind
    /// The reason for a person; what came from the file is escaped.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// What the run's loop does after it: a full disk stops it. Where a program is missing, other kinds of files still go
    /// through.
    package var retry: SyncError.Retry {
        switch kind {
        case .noSpace, .stopped: .abortStage
        case .crashed, .timedOut, .outOfMemory, .unreadable: .backOff
        default: .never
        }
    }
}

extension ProcessingFault: CustomStringConvertible {
    package var description: String { message }
}
