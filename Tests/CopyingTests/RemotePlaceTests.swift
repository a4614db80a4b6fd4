import Copying
import MediaModel
import Testing

@Suite("Places on other machines") struct RemotePlaceTests {
    @Test(
        "are read as rsync and ssh read them",
        arguments: [
            ("old.example:/srv/media", nil, "old.example", nil, "/srv/media"),
            ("mastodon@old.example:live/public", "mastodon", "old.example", nil, "live/public"),
            ("old:", nil, "old", nil, "."), ("a:b:c", nil, "a", nil, "b:c"),
            ("[::1]:/x", nil, "::1", nil, "/x"), ("u@[fe80::1]:x", "u", "fe80::1", nil, "x"),
            ("ssh://u@h:2222/x", "u", "h", 2222, "/x"), ("ssh://h/x y", nil, "h", nil, "/x y"),
            ("ssh://[::1]:22/", nil, "::1", 22, "/"),
        ] as [(String, String?, String, Int?, String)]
    )
    func remote(text: String, user: String?, host: String, port: Int?, path: String) throws {
        let place = try #require(try RemotePlace(BytePath(text)))
        #expect(place.user == user)
        #expect(place.host == host)
        #expect(place.port == port)
        #expect(place.path == BytePath(path))
    }

    @Test("are told from paths of this machine", arguments: ["/srv/media", "media", "./a:b", "/a:b", "a/b:c", "."])
    func local(text: String) throws {
        #expect(try RemotePlace(BytePath(text)) == nil)
    }

    @Test(
        "that ssh would take for options, or that name nothing, are refused",
        arguments: [
            "-oProxyCommand=x:y", ":x", "@h:x", "-l@h:x", "u@:x", "a b:x", "ssh://h", "ssh://h:0/x", "ssh://h:x/y",
            "ssh:///x",
        ]
    )
    func refused(text: String) {
        #expect(throws: SyncError.self) { try RemotePlace(BytePath(text)) }
    }
}
