import Glibc
import MediaModel
import MediasyncTesting
import Synchronization
import Testing

@testable import Imaging

@Suite(.enabled(if: Samples.areTools, "needs ffmpeg and libvips-tools"), .serialized) struct PoolTests {
    private func pool(_ change: (inout ProcessingLimits) -> Void = { _ in }) throws -> ProcessingPool {
        var limits = ProcessingLimits.standard
        change(&limits)
        return try ProcessingPool(workers: 1, program: BytePath(BinaryRunner.path), limits: limits)
    }

    @Test("a child gives the answer that this process gives", arguments: MediaRole.allCases)
    func same(role: MediaRole) async throws {
        let pool = try pool()
        defer { pool.shutDown() }
        let samples = [
            try await Samples.jpeg(1000, 800), try await Samples.converted(1000, 800, "picture.png"),
            try await Samples.converted(500, 300, "picture.webp"), try await Samples.converted(300, 200, "picture.gif"),
        ]
        for path in samples {
            let bytes = try Disk.read(path)
            let workbench = try Workbench()
            let request = try workbench.request(bytes, role, fileExtension: "jpg")
            let local: ProcessedMedia
            do {
                let processor = MediaProcessor(programs: MovieTests.programs)
                local = try Processed(bytes, role, fileExtension: "jpg", by: processor).media
            } catch let fault as ProcessingFault {
                #expect(throws: fault) { try pool.process(request) }
                continue
            }
            #expect(try pool.process(request) == local)
        }
    }

    @Test("a file that a child refuses does not cost the child")
    func refusal() async throws {
        let pool = try pool()
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let bytes = try Disk.read(try await Samples.jpeg(640, 360))
        let fault = #expect(throws: ProcessingFault.self) {
            try pool.process(try workbench.request(Array(bytes.prefix(5000)), .attachment))
        }
        #expect(fault?.kind == .truncated)
        _ = try pool.process(try workbench.request(bytes, .attachment))
    }

    @Test(
        "what a damaged decoder does is one failed item",
        arguments: [
            (ImageTask.crash, ProcessingFault.Kind.crashed), (.hang, .timedOut), (.exhaust, .outOfMemory),
            (.lie, .crashed),
        ]
    )
    func damage(task: ImageTask, kind: ProcessingFault.Kind) async throws {
        let pool = try pool { $0.pictureTime = .seconds(2) }
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let request = try workbench.request(try Disk.read(try await Samples.jpeg(640, 360)), .attachment)
        for _ in 0..<2 {
            let fault = #expect(throws: ProcessingFault.self) { try pool.run(task, request) }
            #expect(fault?.kind == kind)
            #expect(try pool.process(request).variants.count == 2)
        }
    }

    @Test("a child can neither write where it wants nor reach a network", arguments: [ImageTask.write, .connect])
    func confined(task: ImageTask) throws {
        let pool = try pool()
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let fault = #expect(throws: ProcessingFault.self) {
            try pool.run(task, try workbench.request([1], .attachment))
        }
        #expect(fault?.message.hasSuffix(": Operation not permitted") == true, "\(fault?.message ?? "")")
        #expect(!Disk.exists(BytePath("/tmp/mediasync-must-not-be")))
    }

    @Test("children are replaced after as many pictures as was said")
    func replaced() async throws {
        let pool = try pool { $0.picturesPerChild = 2 }
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let request = try workbench.request(try Disk.read(try await Samples.jpeg(640, 360)), .attachment)
        for _ in 0..<5 { _ = try pool.process(request) }
    }

    @Test("children start and end well, again and again")
    func often() async throws {
        let pool = try pool { $0.picturesPerChild = 1 }
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let request = try workbench.request(try Disk.read(try await Samples.jpeg(640, 360)), .attachment)
        for _ in 0..<40 { _ = try pool.process(request) }
    }

    @Test("a pool that was shut down refuses, and leaves no child")
    func shutDown() async throws {
        let pool = try pool()
        let workbench = try Workbench()
        let request = try workbench.request(try Disk.read(try await Samples.jpeg(640, 360)), .attachment)
        _ = try pool.process(request)
        pool.shutDown()
        let fault = #expect(throws: ProcessingFault.self) { try pool.process(request) }
        #expect(fault?.kind == .stopped)
    }

    @Test("a call that is under way when the pool is shut down fails as stopped")
    func stopped() throws {
        let pool = try pool()
        let workbench = try Workbench()
        let request = try workbench.request([1], .attachment)
        let fault = Mutex<ProcessingFault?>(nil)
        let thread = Thread {
            do throws(ProcessingFault) { _ = try pool.run(.hang, request) } catch { fault.withLock { $0 = error } }
        }
        while pool.childCount == 0 { usleep(1000) }
        pool.shutDown()
        thread.join()
        #expect(fault.withLock { $0?.kind } == .stopped)
    }

    @Test("a program that is not there is told at once")
    func missing() {
        #expect(throws: SyncError.self) { try ProcessingPool(workers: 1, program: BytePath("/nonexistent/mediasync")) }
    }

    @Test("a program that is none of ours is a fault of the machine, not of the file")
    func wrongProgram() async throws {
        let pool = try ProcessingPool(workers: 1, program: BytePath("/bin/false"))
        defer { pool.shutDown() }
        let workbench = try Workbench()
        let request = try workbench.request(try Disk.read(try await Samples.jpeg(640, 360)), .attachment)
        let fault = #expect(throws: ProcessingFault.self) { try pool.process(request) }
        #expect(fault?.kind == .crashed)
    }

    @Test("what children are started as is not offered to people")
    func hidden() throws {
        let help = try BinaryRunner.program().run(["--help"]).text
        #expect(help.contains("copy"))
        #expect(!help.contains(DecodeWorker.command) && !help.contains(SandboxedProgram.command))
    }

    @Test("messages survive the way to a child and back", arguments: MediaRole.allCases)
    func messages(role: MediaRole) throws {
        let rules = ProcessingRules.mastodon(major: 4, minor: 1)
        let request = ProcessingRequest(
            role: role,
            rules: rules,
            input: 7,
            inputBytes: 1 << 40,
            fileExtension: String(repeating: "é", count: 2000),
            outputs: [8, 9]
        )
        let order = try DecodeRequest(DecodeRequest(task: .still, request: request).encoded(), descriptors: [7, 8, 9])
        #expect(order.task == .still)
        #expect(order.request.role == role)
        #expect(order.request.rules == rules)
        #expect(order.request.inputBytes == 1 << 40)
        #expect(order.request.fileExtension == String(repeating: "é", count: 512))
        #expect(order.request.outputs == [8, 9])
    }

    @Test("an answer that was tampered with is no answer, and never more than one that a sound child could give")
    func tampered() async throws {
        let workbench = try Workbench()
        let bytes = try Disk.read(try await Samples.jpeg(1000, 800))
        let request = try workbench.request(bytes, .attachment)
        let reply = DecodeReply.encode(.success(try MediaProcessor(programs: nil).process(request)))
        _ = try DecodeReply.decode(reply, for: request)
        for count in 0..<reply.count {
            #expect(throws: ProcessingFault.self) { try DecodeReply.decode(Array(reply.prefix(count)), for: request) }
        }
        var random = SeededGenerator(seed: 5)
        for round in 0..<1500 {
            var damaged = reply
            damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            guard let media = try? DecodeReply.decode(damaged, for: request) else { continue }
            #expect(media.fileExtension.allSatisfy { $0.isLetter || $0.isNumber }, "seed 5, round \(round)")
            for variant in media.variants {
                #expect(
                    variant.byteCount == Int64(Workbench.content(variant, of: request).count),
                    "seed 5, round \(round)"
                )
            }
        }
    }
}

/// A thread that a test waits for: calls that block do not belong on the cooperative pool.
private final class Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var thread = pthread_t()

    init(_ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        pthread_create(
            &thread,
            nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            },
            body.toOpaque()
        )
    }

    func join() { pthread_join(thread, nil) }
}
