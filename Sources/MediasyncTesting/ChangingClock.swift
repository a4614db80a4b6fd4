internal import MediaModel

/// A wall clock of a program's own that is set back and forth, by Debian's libfaketime. What never jumps is left alone.
package final class ChangingClock: Sendable {
    private let place: TemporaryDirectory
    private static let library = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    ].first { Disk.exists(BytePath($0)) }

    package static var isInstalled: Bool { library != nil }

    /// - Parameter offset: `+1d`, `-400d`.
    package init(_ offset: String) throws {
        place = try TemporaryDirectory()
        try set(offset)
    }

    package func set(_ offset: String) throws {
        // Renamed into place: a reader sees the one or the other.
        try Disk.write(place.path / "next", offset + "\n")
        try Disk.rename(place.path / "next", to: place.path / "clock")
    }

    /// Put in front of a program. The library writes into the environment of the first process that it is loaded into, which must
    /// not be one in Swift: that looks for its arguments beside its environment.
    package var wrapper: [String] { ["sh", "-c", "exec \"$@\"", "sh"] }

    /// What a program needs in its environment.
    package var environment: [String: String] {
        [
            "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": (place.path / "clock").description,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        ]
    }
}
