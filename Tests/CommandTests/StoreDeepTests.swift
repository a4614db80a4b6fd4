import MediaModel
import MediasyncTesting
import Testing

/// `mediasync verify --store --deep` on real files of every kind, whole and damaged.
extension StoreVerifyTests {
    /// A file as an origin would have it, and what becomes of it.
    private struct Sample {
        let name: String
        let type: String
        let make: [String]
        /// What is left of it when its end is missing: a sound without a table of its frames plays as far as it goes.
        var isToldWhenCut = true

        static let all = [
            Sample(name: "a.jpeg", type: "image/jpeg", make: picture),
            Sample(name: "b.png", type: "image/png", make: picture),
            Sample(name: "c.webp", type: "image/webp", make: picture),
            Sample(name: "d.gif", type: "image/gif", make: picture),
            Sample(
                name: "e.mp4",
                type: "video/mp4",
                make: ["testsrc2=size=160x120:rate=10:duration=1", "-pix_fmt", "yuv420p", "-movflags", "faststart"]
            ),
            Sample(name: "f.mp3", type: "audio/mpeg", make: ["sine=duration=1"], isToldWhenCut: false),
        ]
        private static let picture = ["testsrc2=size=320x240", "-frames:v", "1"]

        func bytes(in place: BytePath) throws -> [UInt8] {
            let path = place / name
            let options = ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"] + make
            try Program("/usr/bin/ffmpeg").check(options, path)
            return try Disk.read(path)
        }

        var styles: [(folder: String, name: String)] {
            let base = name.prefix { $0 != "." }
            return switch type {
            case "audio/mpeg": [("original", name)]
            case "image/gif", "video/mp4": [("original", name), ("small", "\(base).png")]
            default: [("original", name), ("small", name)]
            }
        }
    }

    private static let folder = "cache/media_attachments/files/000/000"

    /// Whole files under the numbers from 101, the same with their end missing from 201, one that claims to be huge: 301.
    private func fill(_ live: Live, _ name: String) throws {
        var values: [String] = []
        func add(_ id: Int, _ sample: Sample, _ bytes: [UInt8], _ small: [UInt8]) throws {
            let row = "'https://far.example/\(id)', '\(sample.name)', '\(sample.type)', \(bytes.count)"
            values.append("(\(id), 2, \(row), now(), 1, now(), now())")
            for style in sample.styles {
                var place = live.place.path
                for part in "public/system/\(Self.folder)/\(id)/\(style.folder)".split(separator: "/") {
                    place = place / String(part)
                    if !Disk.exists(place) { try Disk.makeDirectory(place) }
                }
                try Disk.write(place / style.name, style.folder == "original" ? bytes : small)
            }
        }
        let png = try Sample.all[1].bytes(in: live.place.path)
        for (index, sample) in Sample.all.enumerated() {
            let whole = try sample.bytes(in: live.place.path)
            let small = sample.styles.last?.name == sample.name ? whole : png
            try add(101 + index, sample, whole, small)
            try add(201 + index, sample, Array(whole.prefix(whole.count * 3 / 4)), small)
        }
        // Sixteen bytes of header say how large a PNG is.
        let huge: [UInt8] = [0, 0, 0xC3, 0x50, 0, 0, 0xC3, 0x50]
        try add(301, Sample.all[1], Array(png.prefix(16)) + huge + png.dropFirst(24), png)
        let statement = """
            INSERT INTO media_attachments (id, account_id, remote_url, file_file_name, file_content_type, file_file_size,
                file_updated_at, file_storage_schema_version, created_at, updated_at) VALUES \(values.joined(separator: ","))
            """
        try Self.cluster.get().sql(statement, database: name, user: MastodonDatabase.role)
    }

    @Test(
        "--deep decodes every kind to its end: cut and boastful files are told, whole ones are not; refresh takes the list",
        .enabled(if: Requirement.has("ffmpeg", "ffprobe"), "needs ffmpeg")
    )
    func deep() throws {
        let live = try Live("verify_deep")
        try fill(live, "verify_deep")
        let only = ["--only", "remote,attachments"]
        // Names, sizes and first bytes are what rows say.
        #expect(try live.verify(only + ["--types"]).exitCode == 0)
        let result = try live.verify(only + ["--deep"])
        #expect(result.exitCode == 4, "\(result.errorText)")
        let cut = Sample.all.enumerated().filter { $0.element.isToldWhenCut }
        let expected =
            cut.map { "\(Self.folder)/\(201 + $0.offset)/original/\($0.element.name)" } + [
                "\(Self.folder)/301/original/b.png"
            ]
        let told = result.lines.filter { $0.hasPrefix("undecodable ") }
        #expect(told.map { $0.split(separator: " ").last.map(String.init) ?? "" }.sorted() == expected.sorted())
        #expect(result.lines.filter { $0.contains("/original/") || $0.contains("/small/") }.count == expected.count)
        let json = try live.verify(only + ["--deep", "--json"])
        #expect(
            json.lines.filter { $0.contains("\"changes\":[\"undecodable\"]") && $0.contains("\"why\":\"") }.count == 6
        )
        try Disk.write(live.place.path / "list", json.text)
        // A dry run asks nobody: that it would fetch them is told.
        let list = (live.place.path / "list").description
        let refresh = try BinaryRunner.program().run([
            "refresh", "-n", "-v", "--from-list", list, "--env-file", live.envFile.description,
        ])
        #expect(refresh.exitCode == 0, "\(refresh.errorText)")
        #expect(refresh.errorText.contains("6 to fetch"), "\(refresh.errorText)")
    }
}
