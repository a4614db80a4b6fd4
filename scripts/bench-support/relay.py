"""What stands between ssh and its server: adds latency, counts the bytes, or both."""
import collections
import selectors
import socket
import threading
import time


class Relay(threading.Thread):
    """Hands bytes on after half the latency each way, as fast as they come otherwise; counts them, both ways together."""

    def __init__(self, port, milliseconds=0):
        super().__init__(daemon=True)
        self.target, self.delay = port, milliseconds / 2000
        self.bytes, self.lock = 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def pump(self, source, sink):
        waiting, selector, ended = collections.deque(), selectors.DefaultSelector(), False
        selector.register(source, selectors.EVENT_READ)
        while not ended or waiting:
            patience = max(0, waiting[0][0] - time.monotonic()) if waiting else None
            if ended:
                time.sleep(patience)
            elif selector.select(patience):
                try:
                    data = source.recv(1 << 18)
                except OSError:
                    data = b""
                ended = not data
                with self.lock:
                    self.bytes += len(data)
                waiting.append((time.monotonic() + self.delay, data))
            while waiting and waiting[0][0] <= time.monotonic():
                data = waiting.popleft()[1]
                try:
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                except OSError:
                    return

    def taken(self):
        """Bytes since the last time."""
        with self.lock:
            count, self.bytes = self.bytes, 0
        return count

    def stop(self):
        self.listener.close()
