"""Copies between machines, beside rsync through the same OpenSSH server on loopback: a first copy of many small files, at once
and with 50 ms more there and back, and a second run with nothing to do. The latency comes from a relay between ssh and
its server. `changed` is in a file of its own."""
import collections
import os
import selectors
import socket
import statistics
import subprocess
import threading
import time

import measure
import ssh_changed

PARTS = ("many", "changed")
LATENCIES = (0, 50)                   # milliseconds there and back
GOALS = {"first": {0: 1.5, 50: 2.0}, "second": {0: 3.0, 50: 3.0}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """sshd with throw-away keys and settings, ended by its own pid."""

    def __init__(self, laboratory):
        self.folder = os.path.join(laboratory.root, "ssh")
        os.mkdir(self.folder, 0o700)
        os.makedirs("/run/sshd", exist_ok=True)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(self.folder, name)], check=True)
        os.rename(os.path.join(self.folder, "user.pub"), os.path.join(self.folder, "authorized"))
        self.port = free_port()
        settings = os.path.join(self.folder, "settings")
        with open(settings, "w", encoding="ascii") as file:
            file.write(f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
                       f"AuthorizedKeysFile {self.folder}/authorized\nStrictModes no\nPermitRootLogin yes\nMaxStartups 100\n")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", settings], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise measure.Unfit("sshd did not start")

    def shell(self, port):
        return (f"ssh -F none -p {port} -i {self.folder}/user -o BatchMode=yes -o StrictHostKeyChecking=no "
                "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Relay(threading.Thread):
    """Hands bytes on after half the latency each way; as fast as they come otherwise."""

    def __init__(self, port, milliseconds):
        super().__init__(daemon=True)
        self.target, self.delay = port, milliseconds / 2000
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
                data = source.recv(1 << 18)
                ended = not data
                waiting.append((time.monotonic() + self.delay, data))
            while waiting and waiting[0][0] <= time.monotonic():
                data = waiting.popleft()[1]
                try:
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                except OSError:
                    return

    def stop(self):
        self.listener.close()


def run(laboratory, quick, part):
    if part == "changed":
        server = Server(laboratory)
        try:
            return ssh_changed.run(laboratory, quick, server, Relay)
        finally:
            server.stop()
            laboratory.remove(server.folder)
    files = 1_000 if quick else 50_000
    source, facts = laboratory.tree("ssh", files=files, bytes=str(files * 20_000), seed=7)
    server = Server(laboratory)
    results = {}
    try:
        for latency in LATENCIES:
            relay = Relay(server.port, latency)
            shell = server.shell(relay.port)
            commands = {
                "mediasync": lambda target: [laboratory.binary, "copy", "-q", "--rsh", shell, "--remote-path", laboratory.binary,
                                             f"127.0.0.1:{source}", target],
                "rsync": lambda target: ["rsync", "-a", "-e", shell, f"127.0.0.1:{source}/", f"{target}/"],
            }
            times = {name: {"first": [], "second": []} for name in commands}
            for number in range(laboratory.rounds):
                for name in sorted(commands, reverse=number % 2 == 1):
                    target = laboratory.fresh("target")
                    for which in ("first", "second"):
                        times[name][which].append(laboratory.run(commands[name](target)).wall)
                    if not laboratory.same(source, target):
                        raise measure.Failed(f"{name} left another tree")
                    laboratory.remove(target)
                    print(f"   {latency:3} ms {name:10} first {times[name]['first'][-1]:7.2f} s, second "
                          f"{times[name]['second'][-1]:6.2f} s", flush=True)
            relay.stop()
            results[str(latency)] = {
                "seconds": {name: {which: [round(value, 3) for value in values] for which, values in each.items()}
                            for name, each in times.items()},
                "faster": {which: measure.ratios(times["rsync"][which], times["mediasync"][which]) for which in ("first", "second")},
            }
        return {"workload": "many", "files": files, "facts": facts, "latencies": results, "goals": GOALS}
    finally:
        server.stop()


def text(result):
    if result.get("workload") == "changed":
        return ssh_changed.text(result)
    lines = []
    for latency, each in result["latencies"].items():
        for which, ratio in each["faster"].items():
            seconds = statistics.median(each["seconds"]["mediasync"][which])
            lines.append(f"   {latency:>3} ms, {which} run: {seconds:.2f} s, {ratio['median']:.2f} times as fast as rsync "
                         f"({ratio['min']:.2f} to {ratio['max']:.2f}; goal {GOALS[which][int(latency)]})")
    return "\n".join(lines)
