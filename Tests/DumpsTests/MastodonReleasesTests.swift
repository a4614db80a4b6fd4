import Testing

@testable import Dumps

@Suite struct MastodonReleasesTests {
    private func set(_ name: String) throws -> Set<String> { Set(try #require(MastodonReleases.migrations(of: name))) }

    @Test(
        "each release has its number of migrations and its newest one, and is found again by its set",
        arguments: [
            ("3.4", 305, "20210507001928"), ("3.5.0", 361, "20220316233212"), ("3.5.2", 367, "20220429101850"),
            ("4.0", 394, "20221104133904"), ("4.1", 395, "20221206114142"), ("4.2", 422, "20230907150100"),
            ("4.3", 472, "20241007071624"), ("4.4", 539, "20250627132728"), ("4.5", 554, "20251023210145"),
            ("4.6", 588, "20260611150940"), ("4.7.0-alpha.2", 614, "20260805130216"),
        ]
    )
    func exact(name: String, count: Int, newest: String) throws {
        let versions = try set(name)
        #expect(versions.count == count && versions.max() == newest)
        let match = MastodonReleases.match(versions)
        #expect(match.relation == .exact && match.release == name && match.newestVersion == newest)
        #expect(match.unknownVersions == [])
    }

    @Test("patch releases have the migrations of their first")
    func patches() throws {
        #expect(try set("4.5.15") == set("4.5"))
        #expect(try set("3.5.0") != set("3.5.2"))
        #expect(MastodonReleases.migrations(of: "4.50") == nil && MastodonReleases.migrations(of: "2.9") == nil)
    }

    @Test("a build between two releases, a fork, a newer Mastodon, something else")
    func others() throws {
        var between = try set("4.4")
        between.insert(try #require(set("4.5").subtracting(between).min()))
        #expect(MastodonReleases.match(between).relation == .between)
        #expect(MastodonReleases.match(between).release == "4.4" && MastodonReleases.match(between).next == "4.5")

        let fork = MastodonReleases.match(try set("4.6").union(["20180604000556", "20251230000000"]))
        #expect(fork.relation == .fork && fork.release == "4.6")
        #expect(fork.unknownVersions == ["20180604000556", "20251230000000"])

        let newer = MastodonReleases.match(try set("4.7.0-alpha.2").union(["20270101000000"]))
        #expect(newer.relation == .newer && newer.release == "4.7.0-alpha.2" && newer.next == nil)

        for versions in [[], ["20160220174730"], ["1"], ["99999999999999"]] as [Set<String>] {
            let match = MastodonReleases.match(versions)
            #expect(match.relation == .unknown && match.release == nil && match.newestVersion == versions.max())
        }
    }

    @Test("one migration that is missing makes it no release, whatever the newest is")
    func missing() throws {
        var versions = try set("4.5")
        versions.remove("20160220174730")
        #expect(MastodonReleases.match(versions).relation == .unknown)
        var late = try set("4.5")
        late.remove(try #require(late.subtracting(set("4.4")).min()))
        #expect(MastodonReleases.match(late).relation == .between && MastodonReleases.match(late).release == "4.4")
    }
}
