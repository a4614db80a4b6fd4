internal import Catalog
internal import Fetching
internal import Imaging
internal import MediaModel

extension MediaRole {
    /// What files of a kind are for. Kinds that are never fetched have none.
    init?(_ kind: MediaKind) {
        switch kind {
        case .attachment: self = .attachment
        case .thumbnail: self = .thumbnail
        case .avatar: self = .avatar
        case .header: self = .header
        case .emoji: self = .emoji
        case .card: self = .card
        case .upload, .backup: return nil
        }
    }
}

extension FetchFault {
    /// The word that failures are counted by.
    var word: String {
        switch kind {
        case .badURL: "bad URL"
        case .refusedAddress: "private address"
        case .hiddenService: "hidden service"
        case .resolve: "no such host"
        case .connect: "no connection"
        case .tls: "TLS"
        case .noAnswer: "no answer"
        case .timeout: "timeout"
        case .tooLarge: "too large"
        case .cutShort: "cut short"
        case .badRedirect, .tooManyRedirects, .redirected: "redirects"
        case .protocolError: "protocol"
        case .status(let code): "HTTP \((100...599).contains(code) ? code : 0)"
        case .writing: "store"
        case .cancelled: "cancelled"
        }
    }

    /// As a failure of an item.
    func syncError(_ row: RemoteMedia) -> SyncError {
        let later = verdict == .retry
        return SyncError(
            .item,
            "cannot fetch \(BytePath(String(row.url.prefix(500))))",
            why: message,
            hint: later ? "try again later: mediasync refresh --retry-failed" : nil,
            retry: later ? .backOff : .never
        )
    }
}

extension ProcessingFault {
    /// The word that failures are counted by.
    var word: String {
        switch kind {
        case .unknownType: "unknown type"
        case .typeNotAllowed: "type not allowed"
        case .spoofed: "type differs from the name"
        case .tooLarge: "too large"
        case .tooManyPixels: "too many pixels"
        case .truncated: "truncated"
        case .undecodable: "undecodable"
        case .crashed: "decoder crashed"
        case .timedOut: "decoder too slow"
        case .outOfMemory: "decoder out of memory"
        case .noSpace: "no space"
        case .unreadable: "unreadable"
        case .unavailable: "unavailable"
        case .stopped: "stopped"
        }
    }

    func syncError(_ row: RemoteMedia) -> SyncError {
        SyncError(
            kind == .noSpace ? .exhausted : kind == .unavailable ? .configuration : .item,
            "\(row.kind.rawValue) \(row.rowID) is not usable: \(BytePath(String(row.url.prefix(500))))",
            why: message,
            retry: retry
        )
    }
}
