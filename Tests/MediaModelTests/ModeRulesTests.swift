internal import Foundation
internal import MediaModel
internal import MediasyncTesting
internal import Testing

@Suite struct ModeRulesTests {
    static let rules = [
        "00644", "D2755,F644", "u+rwX,go-w", "F0600", "D700", "644", "7", "0644", "07777", "1777", "a+X", "+X", "-X",
        "go=",
        "u=",
        "=", "=r", "+x", "-w", "=rw", "a=r", "ug+s", "a+s", "+s", "o+s", "=s", "g=s", "u=s", "o=s", "-s", "g-s",
        "u-s,g-s",
        "+t", "=t", "-t", "ug+t", "a=rwxXst", "u=rwxXst", "g=u", "o=g", "u=o", "ug=o", "a=u", "F=u", "=u", "=g", "+u",
        "-u",
        "-g", "g+u", "a-u", "o-u", "ug-o", "g=u,o=g", "u-w,g=u", "D+x,F-x", "DD+x", "FFu+x", "Du=rwx,Dg=rx,Do=,Fa=r",
        "644,u+x", "u+x,644", "F-x,a+X", "a-x,a+X", "uuu+rrr", "auo=w", "o=rX", "g=X", "a-X", "F755,X",
    ]
    static let modes: [UInt32] = [
        0o644, 0o755, 0o600, 0o4755, 0o2640, 0o1777, 0o6555, 0o7777, 0o100, 0o444, 0o2750, 0o4640,
    ]
    static let wrong = [
        "", ",", "u", "8", "10644", "u=go", "D+F", "DF+x", "FD+x", "u+x,", ",u+x", "u+x,,g+r", "u=gx", "g=ux", "D", "x",
        "u+x g+x", "u+g+o", "u+r-w", "D755F644", "648", "u644", "+644", "644u", "F", "07778", "a+q", "é",
    ]

    @Test("bits above the permissions are kept")
    func typeBits() throws {
        #expect(try ModeRules(parsing: "644").apply(to: 0o100755, isDirectory: false) == 0o100644)
    }

    @Test("what is no list of modes is refused with a hint", arguments: wrong)
    func refused(text: String) {
        #expect {
            try ModeRules(parsing: text)
        } throws: { error in
            let error = error as? SyncError
            return error?.code == .usage && error?.hint != nil
        }
    }

    @Test("rsync refuses the same", .enabled(if: RsyncProgram.isInstalled, "rsync is not installed"))
    func refusedByRsync() throws {
        let tree = try TemporaryTree()
        tree.makeDirectory(Array("src".utf8))
        for text in Self.wrong {
            #expect(
                try RsyncProgram.run(["-a", "--chmod=\(text)", "src/", "dst/"], in: tree.url).status == 1,
                "\(text)"
            )
        }
    }

    @Test(
        "every list of changes gives the modes that rsync gives",
        .enabled(if: RsyncProgram.keepsSetGroup, "rsync is missing or older than 3.4, which loses set-group bits")
    )
    func differential() throws {
        let tree = try TemporaryTree()
        tree.makeDirectory(Array("src".utf8))
        for mode in Self.modes {
            tree.makeFile(Array("src/f\(mode)".utf8), mode: mode)
            tree.makeDirectory(Array("src/d\(mode)".utf8), mode: mode)
        }
        for (index, text) in Self.rules.enumerated() {
            let umask: UInt32 = index % 2 == 0 ? 0o022 : 0o027
            guard let rules = try? ModeRules(parsing: text, umask: umask) else {
                #expect(
                    try RsyncProgram.run(["-a", "--chmod=\(text)", "src/", "no/"], in: tree.url).status == 1,
                    "\(text)"
                )
                continue
            }
            let arguments = ["-a", "--chmod=\(text)", "src/", "dst\(index)/"]
            let result = try RsyncProgram.run(arguments, umask: umask, in: tree.url)
            #expect(result.status == 0, "\(text)")
            for mode in Self.modes {
                for (letter, isDirectory) in [("f", false), ("d", true)] {
                    let theirs = tree.mode(Array("dst\(index)/\(letter)\(mode)".utf8)).map { String($0, radix: 8) }
                    let ours = String(rules.apply(to: mode, isDirectory: isDirectory), radix: 8)
                    #expect(ours == theirs, "\(text) on \(letter) \(String(mode, radix: 8))")
                }
            }
        }
    }
}
