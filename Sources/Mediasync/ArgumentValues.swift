import ArgumentParser
import Copying
import MediaModel

/// `20M` as bytes.
struct SizeArgument: ExpressibleByArgument {
    let bytes: Int64

    init?(argument: String) {
        guard let bytes = ByteCount.parse(argument), bytes > 0 else { return nil }
        self.bytes = bytes
    }
}

/// `20`, `20/s` or `90/m`: requests in a time.
struct RequestRateArgument: ExpressibleByArgument {
    let perSecond: Double

    init(perSecond: Double) {
        self.perSecond = perSecond
    }

    init?(argument: String) {
        let divisor: Double = argument.hasSuffix("/m") ? 60 : 1
        let isMarked = argument.hasSuffix("/m") || argument.hasSuffix("/s")
        guard let count = Double(isMarked ? argument.dropLast(2) : argument[...]), count.isFinite, count > 0 else {
            return nil
        }
        perSecond = count / divisor
    }

    var defaultValueDescription: String { "\(Int(perSecond))" }
}

/// `500` or `20%`.
struct DeleteLimitArgument: ExpressibleByArgument {
    let limit: CopyOptions.DeleteLimit

    init(limit: CopyOptions.DeleteLimit) {
        self.limit = limit
    }

    init?(argument: String) {
        if argument.hasSuffix("%") {
            guard let share = Double(argument.dropLast()), (0...100).contains(share) else { return nil }
            limit = .percent(share)
        } else {
            guard let count = Int(argument), count >= 0 else { return nil }
            limit = .count(count)
        }
    }

    var defaultValueDescription: String { "50%" }
}

/// `xxh3`, `sha256`, `blake2b` or `none`.
struct DigestArgument: ExpressibleByArgument {
    let algorithm: DigestAlgorithm?

    init(algorithm: DigestAlgorithm?) {
        self.algorithm = algorithm
    }

    init?(argument: String) {
        switch argument {
        case "xxh3", "xxh128", DigestAlgorithm.xxh3.rawValue: algorithm = .xxh3
        case "sha256": algorithm = .sha256
        case "blake2b": algorithm = .blake2b
        case "none": algorithm = nil
        default: return nil
        }
    }

    static var allValueStrings: [String] { ["xxh3", "sha256", "blake2b", "none"] }

    var defaultValueDescription: String { "xxh3" }
}

extension CopyOptions.Durability: ExpressibleByArgument {}
