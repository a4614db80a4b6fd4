import Glibc
import MediasyncTesting
import Pacing
import Storage
import Testing

/// Bytes that go through a pipe.
@Suite struct StreamEndTests {
    private static func pipe() throws -> (reading: StreamEnd, writing: StreamEnd) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw TestFault("no pipe") }
        return (StreamEnd(raw: ends[0]), StreamEnd(raw: ends[1]))
    }

    @Test(
        "arrays arrive one behind the other, however many and long they are",
        arguments: [
            [], [0], [1], [0, 3, 0], Array(repeating: 2, count: 40), [200_000, 1, 0, 70_000], [65_536, 65_536],
        ]
    )
    func pieces(counts: [Int]) async throws {
        let (reading, writing) = try Self.pipe()
        let pieces = counts.enumerated().map { SeededGenerator.bytes($0.element, seed: UInt64($0.offset)) }
        // Both block their threads.
        let pool = WorkerPool(threads: 2)
        let all = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask(executorPreference: pool) {
                defer { writing.close() }
                // More than a pipe holds: the kernel takes a part of it at a time.
                try writing.write(pieces)
                return []
            }
            group.addTask(executorPreference: pool) {
                var all: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 5000)
                while true {
                    let count = try buffer.withUnsafeMutableBytes { try reading.read(into: $0) }
                    if count == 0 { return all }
                    all += buffer[..<count]
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        reading.close()
        pool.shutDown()
        #expect(all == pieces.flatMap { $0 })
    }

    @Test("nobody who reads is a fault")
    func broken() throws {
        signal(SIGPIPE, SIG_IGN)
        let (reading, writing) = try Self.pipe()
        reading.close()
        #expect(throws: FileFault.self) { try writing.write([[1], [2]]) }
        writing.close()
    }
}
