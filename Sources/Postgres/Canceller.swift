internal import CPostgres
internal import Glibc
internal import Synchronization

/// Ends what another thread's connection is doing. Safe from any thread, at any time, also after the connection is gone.
package final class Canceller: Sendable {
    /// libpq's own copy of the address. It is never changed, so it needs no lock; freed by its one owner, this value.
    private nonisolated(unsafe) let address: OpaquePointer?
    /// The lock makes sure that the number is still this connection's socket; -1 once it is closed.
    private let socket: Mutex<Int32>

    init(connection: OpaquePointer) {
        address = PQgetCancel(connection)
        socket = Mutex(PQsocket(connection))
    }

    deinit { PQfreeCancel(address) }

    /// Asks the server to cancel the statement: it ends with an error, and the connection lives on. Blocks for the time
    /// of a connect; not for the cooperative pool.
    package func cancel() {
        guard let address, socket.withLock({ $0 >= 0 }) else { return }
        var buffer = [CChar](repeating: 0, count: 256)
        _ = PQcancel(address, &buffer, Int32(buffer.count))
    }

    /// Cuts the connection, whatever it does: a call that waits for the network returns at once.
    package func sever() {
        socket.withLock { socket in
            if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// The connection is about to close its socket: its number will be somebody else's.
    func forgetSocket() {
        socket.withLock { $0 = -1 }
    }
}
