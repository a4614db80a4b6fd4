import Fetching
import MediaModel
import Storage

/// Tells a health check of the administrator's own that a run begins and how it ended. A check that does not answer is told
/// once and changes nothing else.
struct HealthCheck: Sendable {
    private static let patience = Duration.seconds(5)

    private let url: String
    private let engine: FetchEngine

    /// - Throws: an error with the code `usage` where it is no address.
    init(_ url: String) throws(SyncError) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        do throws(FetchFault) { _ = try FetchURL(self.url) } catch {
            throw SyncError(.usage, "--ping takes the address of a health check: \(BytePath(url))", why: "\(error)")
        }
        var options = FetchOptions(userAgent: "mediasync/\(MediasyncCommand.version)")
        options.inFlight = 2
        options.keptConnections = 2
        options.deadlines.connect = Self.patience
        options.deadlines.firstByte = Self.patience
        options.deadlines.total = Self.patience
        // The administrator named it: it may be next door. No other fetch shares its connections.
        options.allowedPrivateAddresses = ["0.0.0.0/0", "::/0"].compactMap { AddressRange($0) }
        engine = try FetchEngine(options)
    }

    func begin() async -> Notice? { await call("/start") }

    func end(_ status: ExitStatus) async -> Notice? { await call(status == .done ? "" : "/fail") }

    func shutDown() { engine.shutDown() }

    private func call(_ suffix: String) async -> Notice? {
        do throws(FetchFault) {
            _ = try await engine.fetch(FetchRequest(url: url + suffix, byteLimit: 1 << 16, body: .memory))
            return nil
        } catch {
            return Notice(.warning, "the health check did not answer: \(error)", hint: "check --ping; the run goes on")
        }
    }
}
