import MediaModel
import MediasyncTesting
import Testing

/// Copies whose files travel by several connections.
@Suite("A copy by several connections") struct CarrierTests: RemoteSuite {
    let pair: RemotePair
    private static let fileBytes = 700_000
    private static let files = 40

    init() throws {
        pair = try RemotePair()
    }

    private func makeSource() throws {
        for number in 0..<Self.files {
            let folder = source / "d\(number % 7)"
            if !Disk.exists(folder) { try Disk.makeDirectory(folder) }
            // Names say that they are compressed: their bytes show on the line.
            try Disk.write(folder / "\(number).jpg", SeededGenerator.bytes(Self.fileBytes, seed: UInt64(number)))
        }
        for number in 0..<200 { try Disk.write(source / "d\(number % 7)" / "s\(number).png", "\(number)") }
    }

    /// Bytes that each connection brought from the sender.
    private func shares() throws -> [Int] {
        let names = try Disk.names(in: place.path).map(\.description).filter { $0.hasPrefix("line.") }
        return names.map { Int(Disk.size(place.path / $0) ?? 0) }
    }

    /// Keeps what the sender says on each connection.
    private func noting(_ direction: Direction) throws -> LocalShell {
        let tee = "tee \(place.path)/line.$$"
        return try LocalShell(
            in: place,
            before: direction == .pull ? "sh -c \"$*\" | \(tee); exit 0" : "\(tee) | sh -c \"$*\"; exit 0"
        )
    }

    @Test("has files go by all of them, and each byte once", arguments: Direction.allCases)
    func all(direction: Direction) throws {
        try makeSource()
        let options = ["--json", "--connections", "4", "--bwlimit", "20M"]
        let result = try start(direction, options, shell: noting(direction)).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
        let shares = try shares()
        #expect(shares.count == 4)
        #expect(shares.allSatisfy { $0 > Self.fileBytes }, "\(shares)")
        let all = shares.reduce(0, +)
        #expect(all < Self.files * Self.fileBytes * 21 / 20, "\(shares)")
        let counted = Self.number("bytes_transferred", in: result)
        #expect(counted >= all && counted < all + 200_000, "\(counted) of \(shares)")
        let again = try start(direction, ["-q", "-i", "--connections", "4"]).wait(timeout: 120)
        #expect(again.exitCode == 0 && again.text == "", "\(again.text)\(again.errorText)")
    }

    @Test("keeps to the limit as a whole", arguments: Direction.allCases)
    func limit(direction: Direction) throws {
        try makeSource()
        let result = try start(direction, ["--connections", "4", "--bwlimit", "8M"]).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        // 28 MB at 8 MiB a second, what the bucket holds at first left out.
        #expect(result.seconds > 2, "\(result.seconds)")
    }

    @Test("begins anew with all of them where one is lost, and goes on where it was", arguments: Direction.allCases)
    func lost(direction: Direction) throws {
        try makeSource()
        let relay = "dd bs=64k iflag=count_bytes count=2500000 2>/dev/null"
        let (before, behind) = direction == .pull ? ("", "| \(relay)") : ("\(relay) |", "")
        // The second one of the first try is cut off.
        let cutting = try LocalShell(
            in: place,
            before: """
                echo $$ >> \(place.path)/started
                if mkdir \(place.path)/first 2>/dev/null; then exec sh -c "exec $*"; fi
                if mkdir \(place.path)/cut 2>/dev/null; then \(before) sh -c "$*" \(behind); exit 0; fi
                """
        )
        let options = ["--json", "--connections", "3", "--bwlimit", "16M"]
        let result = try start(direction, options, shell: cutting).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("it is tried again (2 of 5)"), "\(result.text)")
        try expectEqual()
        let names = try Disk.names(in: target)
        #expect(!names.contains { $0.description.hasPrefix(".mediasync") })
        #expect(try Disk.text(place.path / "started").split(separator: "\n").count == 6)
        #expect(Self.number("bytes_transferred", in: result) < Self.files * Self.fileBytes * 5 / 4)
    }

    @Test("goes on with those that could be made, and says so once", arguments: Direction.allCases)
    func refused(direction: Direction) throws {
        try makeSource()
        let refusing = try LocalShell(
            in: place,
            before: """
                for i in 1 2 3; do if mkdir \(place.path)/slot$i 2>/dev/null; then
                    if [ $i = 3 ]; then echo 'kex_exchange_identification: Connection reset' >&2; exit 255; fi
                    exec sh -c "exec $*"
                fi; done
                echo 'kex_exchange_identification: Connection reset' >&2; exit 255
                """
        )
        let result = try start(direction, ["--connections", "4", "--bwlimit", "16M"], shell: refusing).wait(
            timeout: 120
        )
        #expect(result.exitCode == 0, "\(result.errorText)")
        let text = result.text + result.errorText
        #expect(text.contains("only 2 of 4 connections to old.example could be made: kex_exchange"), "\(text)")
        #expect(text.components(of: "connections to old.example") == 1, "\(text)")
        try expectEqual()
    }

    @Test("makes one alone where nothing is copied")
    func dry() throws {
        try makeSource()
        let counting = try LocalShell(in: place, before: "echo $$ >> \(place.path)/started")
        let result = try start(.pull, ["-n", "--connections", "4"], shell: counting).wait()
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try Disk.text(place.path / "started").split(separator: "\n").count == 1)
    }

    @Test("is stopped as one is", arguments: Direction.allCases)
    func stopped(direction: Direction) throws {
        try makeSource()
        let running = try start(direction, ["--connections", "4", "--bwlimit", "4M"])
        #expect(RunningProgram.eventually { Disk.exists(target / "d1") })
        RunningProgram.pause(milliseconds: 300)
        running.send(15)
        #expect(running.wait().exitCode == 143)
        let result = try runAgain(direction, ["--connections", "4"])
        #expect(result.exitCode == 0, "\(result.errorText)")
        try expectEqual()
    }

    @Test("of another user's process is refused", .enabled(if: Requirement.canDropRights, "needs root and setpriv"))
    func otherUser() throws {
        try makeSource()
        // The further connections arrive as somebody else over there.
        let program = try BinaryRunner.unprivilegedProgram(in: place)
        try Disk.setMode(place.path, 0o755)
        let changing = try LocalShell(
            in: place,
            before: """
                if ! mkdir \(place.path)/first 2>/dev/null; then
                    exec \(program.wrapper.joined(separator: " ")) \(program.path) agent
                fi
                """
        )
        let result = try start(.pull, ["--connections", "2", "--bwlimit", "16M"], shell: changing).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect((result.text + result.errorText).contains("the run is another user's"), "\(result.errorText)")
        try expectEqual()
    }

    /// Lets each read of one direction wait: the far end's questions and answers of a pull, the near end's of a push. What
    /// brings the bytes of files goes as fast as it can.
    /// - Parameter next: lines for those that come behind the first one.
    private func distant(_ direction: Direction, milliseconds: Int, next: String = ":") throws -> LocalShell {
        let wait =
            "import os, time\nwhile b := os.read(0, 65536):\n    time.sleep(\(milliseconds) / 1000)\n    os.write(1, b)"
        try Disk.write(place.path / "wait.py", wait)
        let waiting = "python3 \(place.path)/wait.py"
        return try LocalShell(
            in: place,
            before: """
                echo $$ >> \(place.path)/started
                if ! mkdir \(place.path)/first 2>/dev/null; then \(next); fi
                \(direction == .pull ? "\(waiting) | sh -c \"$*\"" : "sh -c \"$*\" | \(waiting)")
                exit 0
                """
        )
    }

    private func started() throws -> Int { try Disk.text(place.path / "started").split(separator: "\n").count }

    @Test(
        "is made by itself where the line is long",
        .enabled(if: Requirement.has("python3"), "needs python3"),
        arguments: Direction.allCases
    )
    func automatic(direction: Direction) throws {
        try makeSource()
        let shell = try distant(direction, milliseconds: 40)
        let result = try start(direction, ["--bwlimit", "8M"], shell: shell).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try started() == 4)
        try expectEqual()
    }

    @Test(
        "is not made where little comes, and where nobody wants it",
        .enabled(if: Requirement.has("python3"), "needs python3"),
        arguments: Direction.allCases,
        [(1, "auto"), (28, "1")]
    )
    func single(direction: Direction, run: (megabytes: Int, connections: String)) throws {
        for number in 0..<run.megabytes {
            try Disk.write(source / "\(number).jpg", SeededGenerator.bytes(1_000_000, seed: UInt64(number)))
        }
        let shell = try distant(direction, milliseconds: 40)
        let options = ["--connections", run.connections, "--bwlimit", "16M"]
        let result = try start(direction, options, shell: shell).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        #expect(try started() == 1)
        try expectEqual()
    }

    @Test(
        "that was made by itself and is refused is no more than a notice",
        .enabled(if: Requirement.has("python3"), "needs python3")
    )
    func refusedByItself() throws {
        try makeSource()
        let refusing = try distant(
            .pull,
            milliseconds: 40,
            next: "echo 'Permission denied (publickey).' >&2; exit 255"
        )
        let result = try start(.pull, ["--json", "--bwlimit", "8M"], shell: refusing).wait(timeout: 120)
        #expect(result.exitCode == 0, "\(result.errorText)")
        let notice = result.lines.first { $0.contains("only 1 of 4 connections") } ?? ""
        #expect(notice.contains("Permission denied"), "\(result.text)\(result.errorText)")
        #expect(notice.contains("--connections 1 makes no more"), "\(notice)")
        #expect(!notice.contains("warning"), "\(notice)")
        try expectEqual()
    }

    @Test("is one of one to sixteen", arguments: ["0", "17", "-1", "x"])
    func bounds(count: String) throws {
        #expect(try start(.pull, ["--connections", count]).wait().exitCode == 64)
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
