import MediaModel
import Testing

@testable import Storage

@Suite struct PathListTests {
    @Test("paths come back as they were put in, the empty one too")
    func paths() {
        let all = ["a", "", "a/b/c.png", "x"].map { BytePath($0) }
        let list = PathList(all)
        #expect(list.count == 4)
        #expect((0..<list.count).map { list[$0] } == all)
        var seen: [BytePath] = []
        list.withEach { index, bytes in
            #expect(index == seen.count)
            #expect(bytes.baseAddress.map { $0.load(fromByteOffset: bytes.count, as: UInt8.self) } == 0)
            seen.append(BytePath(bytes: Array(bytes)))
        }
        #expect(seen == all)
        #expect(PathList().count == 0)
    }

    @Test("what is given up in the middle leaves nothing")
    func givenUp() {
        var list = PathList([BytePath("a")])
        let isAdded = list.append { bytes in
            bytes += [1, 2, 3]
            return false
        }
        #expect(!isAdded)
        list.append(BytePath("b"))
        #expect((0..<list.count).map { list[$0] } == [BytePath("a"), BytePath("b")])
    }

    @Test("a list is used again without what was in it")
    func again() {
        var list = PathList([BytePath("a/b"), BytePath("c")])
        list.removeAll()
        #expect(list.count == 0)
        list.append(BytePath("d"))
        #expect((0..<list.count).map { list[$0] } == [BytePath("d")])
    }
}
