import Fetching
import Glibc
import Pacing
import Synchronization

/// Fetches a list of addresses as fast as one engine can, into files, and says what that cost: for `scripts/bench fetch`.
///
/// FetchLoad LIST DIRECTORY IN-FLIGHT
@main
enum FetchLoad {
    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    nonisolated private static func run(_ arguments: [String]) -> Int32 {
        guard arguments.count == 3, let inFlight = Int(arguments[2]), let addresses = lines(of: arguments[0]) else {
            print("usage: FetchLoad LIST DIRECTORY IN-FLIGHT")
            return 64
        }
        var options = FetchOptions(userAgent: "mediasync/benchmark")
        options.inFlight = inFlight
        options.allowedPrivateAddresses = ["127.0.0.0/8"].compactMap { AddressRange($0) }
        guard let engine = try? FetchEngine(options) else { return 1 }
        let begin = seconds(CLOCK_MONOTONIC)
        // A few more are ready than are under way, so that the loop never waits for a file to be made.
        let open = Monitor(0)
        let done = Atomic<Int>(0)
        let failed = Atomic<Int>(0)
        let bytes = Atomic<Int>(0)
        for (number, address) in addresses.enumerated() {
            open.wait { count -> Void? in
                guard count < inFlight * 2 else { return nil }
                count += 1
                return ()
            }
            let descriptor = creat("\(arguments[1])/\(number)", 0o600)
            let request = FetchRequest(url: address, byteLimit: 1 << 20, body: .file(descriptor: descriptor))
            _ = engine.start(request) { result in
                if case .success(let answer) = result {
                    bytes.wrappingAdd(Int(answer.byteCount), ordering: .relaxed)
                    done.wrappingAdd(1, ordering: .relaxed)
                } else {
                    failed.wrappingAdd(1, ordering: .relaxed)
                }
                close(descriptor)
                open.withLock { $0 -= 1 }
                open.wakeOne()
            }
        }
        open.wait { $0 == 0 ? () : nil }
        let wall = seconds(CLOCK_MONOTONIC) - begin
        engine.shutDown()
        let count = done.load(ordering: .relaxed)
        print(
            "{\"files\": \(count), \"failed\": \(failed.load(ordering: .relaxed)), "
                + "\"bytes\": \(bytes.load(ordering: .relaxed)), \"seconds\": \(wall), "
                + "\"cpu_seconds\": \(seconds(CLOCK_PROCESS_CPUTIME_ID))}"
        )
        return count == addresses.count ? 0 : 1
    }

    nonisolated private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    nonisolated private static func lines(of path: String) -> [String]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var found: [String] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let text = String(
                decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            if !text.isEmpty { found.append(text) }
        }
        return found
    }
}
