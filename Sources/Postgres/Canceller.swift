internal import CPostgres
internal import Glibc
internal import Synchronization

/// Ends what another thread's connection is doing. Safe from any thread, at any time, also after the connection is gone.
package final class Canceller: Sendable {
    private struct Handle: ~Copyable {
        var cancel: OpaquePointer?
        var socket: Int32
    }

    /// `handle` holds libpq's own copy of the address; the lock makes sure that the socket is still this connection's.
    private let handle: Mutex<Handle>

    init(connection: OpaquePointer) {
        // Both are values of the connection's begin: nothing here touches it again.
        nonisolated(unsafe) let cancel = PQgetCancel(connection)  // one owner: the handle behind the lock
        handle = Mutex(Handle(cancel: cancel, socket: PQsocket(connection)))
    }

    deinit {
        handle.withLock { handle in
            if let cancel = handle.cancel { PQfreeCancel(cancel) }
            handle.cancel = nil
        }
    }

    /// Asks the server to cancel the statement: it ends with an error, and the connection lives on. Blocks for the time
    /// of a connect; not for the cooperative pool.
    package func cancel() {
        handle.withLock { handle in
            guard let cancel = handle.cancel, handle.socket >= 0 else { return }
            var buffer = [CChar](repeating: 0, count: 256)
            _ = PQcancel(cancel, &buffer, Int32(buffer.count))
        }
    }

    /// Cuts the connection, whatever it does: a call that waits for the network returns at once.
    package func sever() {
        handle.withLock { handle in
            if handle.socket >= 0 { shutdown(handle.socket, Int32(SHUT_RDWR)) }
        }
    }

    /// The connection is about to close its socket: its number will be somebody else's.
    func forgetSocket() {
        handle.withLock { $0.socket = -1 }
    }
}
