import Synchronization

/// Tables that stages leave behind, in the order of the stages, for the end of the report.
final class DetailBox: Sendable {
    private let parts = Mutex<[@Sendable () -> [UInt8]]>([])

    /// - Parameter part: asked once, at the end.
    func add(_ part: @escaping @Sendable () -> [UInt8]) { parts.withLock { $0.append(part) } }

    var bytes: [UInt8] { parts.withLock { $0 }.flatMap { $0() } }
}
