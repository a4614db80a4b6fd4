internal import MediaModel

/// What the shell of another machine is told. Plain `sh`, and what every Debian has: `gzip`, `sha256sum`.
struct BootstrapScript {
    private let hexadecimal: String

    /// - Parameter digest: of the program, by SHA-256.
    init(digest: Digest) {
        hexadecimal = digest.hexadecimal
    }

    /// Every version has a name of its own: one that is at work is never written over.
    var name: String { "mediasync-\(hexadecimal.prefix(16))" }

    /// How the shell there starts it.
    var command: String { "\"$HOME/.cache/mediasync/\(name)\"" }

    /// Tells about the file where it is, all of it; and whether it runs, and what it lacks.
    private var tell: String {
        """
        p="$HOME/.cache/mediasync/\(name)"
        if [ -x "$p" ] && [ "$(sha256sum <"$p")" = "\(hexadecimal)  -" ]; then
        echo mediasync:cached
        echo mediasync:cached-speaks "$("$p" agent --protocol 2>&1)"
        ldd "$p" 2>/dev/null | grep "not found" | sort -u | sed "s/^[^A-Za-z]*/mediasync:lacks /"
        fi

        """
    }

    /// Looks around: for `sh -s`.
    /// - Parameter program: as the user has named it for that shell.
    func look(for program: String) -> String {
        """
        echo mediasync:system "$(uname -sm)"
        echo mediasync:speaks "$(\(program) agent --protocol 2>/dev/null </dev/null)"

        """ + tell
    }

    /// Takes the program, compressed, from standard input. The name appears when all of it is there and right.
    var receive: String {
        let script = """
            umask 077
            mkdir -p "$HOME/.cache/mediasync" && cd "$HOME/.cache/mediasync" || exit
            t="new-$$"
            trap "rm -f \\"$t\\"" EXIT
            gzip -dc >"$t" && [ "$(sha256sum <"$t")" = "\(hexadecimal)  -" ] && chmod 700 "$t" && mv -f "$t" "\(name)"

            """ + tell
        // Whatever the login shell is, it hands what is between such quotes on as it is.
        return "sh -c '\(script)'"
    }
}

/// What it answers, line by line.
struct BootstrapAnswer {
    private(set) var system: String?
    private(set) var speaks: Int?
    /// The file is there, all of it.
    private(set) var isCached = false
    private(set) var cachedSpeaks: Int?
    /// Libraries that the file needs and the machine does not have.
    private(set) var lacking: [String] = []
    /// Other lines, for a message.
    private(set) var rest = ""

    private static let mark = "mediasync:"

    /// - Parameter bytes: of another machine: escaped before they are shown.
    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: 0x0A) {
            let text = BytePath.escaped(Array(line))
            guard text.hasPrefix(Self.mark) else {
                if rest.utf8.count < 200 { rest += (rest.isEmpty ? "" : "; ") + text.prefix(200) }
                continue
            }
            let words = text.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 1)
            let value = words.count > 1 ? String(words[1]) : ""
            switch words.first {
            case "system": system = value
            case "speaks": speaks = Int(value)
            case "cached": isCached = true
            case "cached-speaks":
                cachedSpeaks = Int(value)
                if cachedSpeaks == nil { rest = value }
            case "lacks":
                if let library = value.split(separator: " ").first, lacking.count < 50 {
                    lacking.append(String(library))
                }
            default: break
            }
        }
    }

    /// Debian's packages of what this program is linked with.
    private static let packages = [
        "libcrypto.so.3": "libssl3", "libarchive.so.13": "libarchive13", "libhiredis.so.0.14": "libhiredis0.14",
        "libsqlite3.so.0": "libsqlite3-0", "libpq.so.5": "libpq5", "libcurl.so.4": "libcurl4", "libz.so.1": "zlib1g",
        "libstdc++.so.6": "libstdc++6", "libjpeg.so.62": "libjpeg62-turbo", "libgcc_s.so.1": "libgcc-s1",
        "libzstd.so.1": "libzstd1",
    ]

    static func package(of library: String) -> String? { packages[library] }
}
