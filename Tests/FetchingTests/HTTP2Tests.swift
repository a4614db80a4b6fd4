import Fetching
import MediaModel
import MediasyncTesting
import Testing

@Suite(.enabled(if: Requirement.hasHTTP2, "needs openssl and nghttpd"))
struct HTTP2Tests {
    @Test("a server that speaks HTTP/2 is asked by it, many files over few connections")
    func files() async throws {
        let authority = try TestAuthority()
        let files = Dictionary(
            uniqueKeysWithValues: (0..<40).map { number in
                ("f\(number)", (0..<(1000 + 997 * number)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) })
            }
        )
        let origin = try HTTP2Origin(authority, host: "files.example", files: files)
        // Some of the files just fill libcurl's buffer: of those a libcurl of 2023 leaves some standing, by their order.
        for round in 0..<20 {
            let results = try await Self.fetchAll(files.keys.shuffled(), from: origin, authority)
            for (name, bytes) in files {
                let fault = String(describing: results[name]?.fault)
                #expect(results[name]?.answer?.body == bytes, "\(name) in round \(round): \(fault)")
            }
        }
        #expect(origin.log.contains(":path: /f7"))
        #expect(origin.log.contains("The negotiated protocol: h2"))
        // `[id=3] [ 0.7] recv ...`: which connection a frame came by.
        let connections = Set(
            origin.log.split(separator: "\n").filter { $0.hasPrefix("[id=") }.map { $0.prefix { $0 != "]" } }
        )
        #expect(connections.count < 100, "\(connections.count) connections for twenty times 40 files")
    }

    /// Fetches all of them at once, by an engine of their own.
    private static func fetchAll(
        _ names: some Collection<String>,
        from origin: HTTP2Origin,
        _ authority: TestAuthority
    ) async throws -> [String: Result<FetchAnswer, FetchFault>] {
        let engine = try FetchEngine(
            Lab.options { options in
                options.certificateFile = authority.certificate.description
                options.connectTo = origin.place
                options.deadlines = FetchDeadlines()
            }
        )
        return await withTaskGroup(of: (String, Result<FetchAnswer, FetchFault>).self) { group in
            for name in names {
                group.addTask {
                    let request = FetchRequest(url: "https://files.example/\(name)", byteLimit: 1 << 20, body: .memory)
                    do throws(FetchFault) {
                        return (name, .success(try await engine.fetch(request)))
                    } catch {
                        return (name, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    @Test("limits, absence and names hold over HTTP/2 as well")
    func faults() async throws {
        let authority = try TestAuthority()
        let origin = try HTTP2Origin(
            authority,
            host: "files.example",
            files: ["big": [UInt8](repeating: 1, count: 500_000)]
        )
        let engine = try FetchEngine(
            Lab.options { options in
                options.certificateFile = authority.certificate.description
                options.connectTo = origin.place
                options.deadlines = FetchDeadlines()
            }
        )
        func kind(_ url: String, limit: Int64 = 1 << 20) async -> FetchFault.Kind? {
            do throws(FetchFault) {
                _ = try await engine.fetch(FetchRequest(url: url, byteLimit: limit, body: .memory))
                return nil
            } catch {
                return error.kind
            }
        }
        #expect(await kind("https://files.example/big") == nil)
        #expect(await kind("https://files.example/big", limit: 499_999) == .tooLarge)
        #expect(await kind("https://files.example/none") == .status(404))
        #expect(await kind("https://other.example/big") == .tls)
        // A connection whose stream was given up is still good for others.
        #expect(await kind("https://files.example/big") == nil)
    }
}
