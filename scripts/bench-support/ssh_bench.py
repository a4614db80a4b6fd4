"""Copies between machines, beside rsync through the same OpenSSH server on loopback and with the same ssh: first copies of many
small files, at once and with 50 ms more there and back, second runs with nothing to do, and the memory of both ends. Where there
are milliseconds, a relay between ssh and its server adds them. `changed` is in a file of its own."""
import os
import socket
import statistics
import subprocess
import threading
import time

import measure
import ssh_changed
from relay import Relay

PARTS = ("first-0ms", "first-50ms", "again", "memory", "changed")
GOALS = {"first-0ms": 1.5, "first-50ms": 2.0, "again-0ms": 3.0, "again-50ms": 3.0}
MEMORY_MIB = 128                      # of each end, for a million files


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """sshd with throw-away keys and settings, ended by its own pid."""

    def __init__(self, laboratory):
        self.folder = laboratory.fresh("ssh")
        os.mkdir(self.folder, 0o700)
        os.makedirs("/run/sshd", exist_ok=True)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(self.folder, name)], check=True)
        os.rename(os.path.join(self.folder, "user.pub"), os.path.join(self.folder, "authorized"))
        self.port = free_port()
        settings = os.path.join(self.folder, "settings")
        with open(settings, "w", encoding="ascii") as file:
            file.write(f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
                       f"AuthorizedKeysFile {self.folder}/authorized\nStrictModes no\nPermitRootLogin yes\nMaxStartups 100\n"
                       # bash would read what this machine's user has in .bashrc, unless it is not the first shell.
                       "SetEnv SHLVL=1\n")
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
        """One way for all: cipher and compression are those of a Debian user."""
        return (f"ssh -F none -p {port} -i {self.folder}/user -o BatchMode=yes -o StrictHostKeyChecking=no "
                "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Peaks(threading.Thread):
    """The most memory that each of the program's processes had, near and far; the kernel keeps it (VmHWM), so looking now and then
    is enough."""

    def __init__(self, binary):
        super().__init__(daemon=True)
        self.binary, self.kibibytes, self.over = binary, {"near": 0, "far": 0}, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    self.look(f"/proc/{entry}")

    def look(self, folder):
        try:
            if os.readlink(f"{folder}/exe") != self.binary:
                return
            with open(f"{folder}/cmdline", "rb") as file:
                end = "far" if b"agent" in file.read().split(b"\0") else "near"
            with open(f"{folder}/status", encoding="ascii", errors="replace") as file:
                found = [int(line.split()[1]) for line in file if line.startswith("VmHWM:")]
        except OSError:
            return
        self.kibibytes[end] = max([self.kibibytes[end], *found])

    def stop(self):
        self.over.set()
        self.join()
        return {end: round(value / 1024, 1) for end, value in self.kibibytes.items()}


class Rivals:
    """The commands of both, for a copy from the server and for one to it."""

    def __init__(self, laboratory, server, latency):
        self.laboratory = laboratory
        self.relay = Relay(laboratory, server.port, latency) if latency else None
        self.shell = server.shell(self.relay.port if self.relay else server.port)

    def command(self, name, source, target, push=False):
        from_, to = (source, f"127.0.0.1:{target}") if push else (f"127.0.0.1:{source}", target)
        if name == "rsync":
            return ["rsync", "-a", "-e", self.shell, from_ + "/", to + "/"]
        if name == LOCAL:
            return [self.laboratory.binary, "copy", "-q", *UNFLUSHED, source, target]
        more = ["--connections", str(CONNECTIONS)] if name == SEVERAL else []
        more += [] if name == FLUSHED else UNFLUSHED
        return [self.laboratory.binary, "copy", "-q", *more, "--rsh", self.shell, "--remote-path", self.laboratory.binary, from_, to]

    def stop(self):
        if self.relay:
            self.relay.stop()


NAMES = ("mediasync", "rsync")
CONNECTIONS = 4
SEVERAL = f"mediasync --connections {CONNECTIONS}"      # of first copies: a second one has no bytes to carry
FLUSHED = "mediasync, flushed"                          # the default: what was copied is on the disk when it ends
LOCAL = "mediasync without ssh"                         # the same copy on one machine: what the file system alone takes
UNTARGETED = (FLUSHED, LOCAL)
UNFLUSHED = ["--fsync", "none"]                         # as rsync -a leaves it to the kernel


def first(laboratory, server, source, facts, latency):
    """New names each time; the source is in the cache."""
    rivals = Rivals(laboratory, server, latency)
    names = (*NAMES, SEVERAL, *UNTARGETED) if latency == 0 else (*NAMES, SEVERAL, FLUSHED)
    seconds, processor = {name: [] for name in names}, {name: [] for name in names}
    # Whoever comes first pays for memory that nobody has used yet, a second and more in a virtual machine: not counted.
    target = laboratory.target("target")
    laboratory.run(rivals.command("rsync", source, target))
    laboratory.discard(target)
    for number in range(laboratory.rounds):
        for name in names if number % 2 == 0 else reversed(names):
            target = laboratory.target("target")
            laboratory.settle()
            sample = laboratory.run(rivals.command(name, source, target))
            seconds[name].append(round(sample.wall, 3))
            processor[name].append(round(sample.cpu, 3))
            if number == 0 and not laboratory.same(source, target):
                raise measure.Failed(f"{name} left another tree")
            laboratory.discard(target)
            print(f"   {name:25} {sample.wall:7.2f} s   CPU of this end {sample.cpu:6.2f} s", flush=True)
    rivals.stop()
    return {"seconds": {f"{latency}ms": seconds}, "processor_seconds": {f"{latency}ms": processor}}


def again(laboratory, server, source, facts):
    """Nothing to do: both sides are equal and in the cache."""
    target = laboratory.target("target")
    subprocess.run(["rsync", "-a", source + "/", target + "/"], check=True)
    laboratory.discard(target)
    laboratory.settle()
    seconds = {}
    for latency in (0, 50):
        rivals = Rivals(laboratory, server, latency)
        names = (*NAMES, LOCAL) if latency == 0 else NAMES
        times = seconds[f"{latency}ms"] = {name: [] for name in names}
        for number in range(laboratory.rounds):
            for name in names if number % 2 == 0 else reversed(names):
                times[name].append(round(laboratory.run(rivals.command(name, source, target)).wall, 3))
        for name in names:
            print(f"   {latency:3} ms {name:10} {statistics.median(times[name]):7.2f} s", flush=True)
        rivals.stop()
    return {"seconds": seconds}


def memory(laboratory, server, source, facts):
    """A first copy and a second one, in both directions."""
    rivals, peaks, seconds = Rivals(laboratory, server, 0), {}, {}
    for push in (False, True):
        target = laboratory.target("target")
        for which in ("first", "again"):
            name = f"{'push' if push else 'pull'}, {which}"
            watch = Peaks(laboratory.binary)
            seconds[name] = round(laboratory.run(rivals.command("mediasync", source, target, push)).wall, 2)
            peaks[name] = watch.stop()
            print(f"   {name:12} {seconds[name]:7.2f} s   {peaks[name]['near']:6.1f} MiB here, {peaks[name]['far']:6.1f} MiB there", flush=True)
        laboratory.discard(target)
    return {"seconds": seconds, "peak_mib": peaks}


def run(laboratory, quick, part):
    if part == "changed":
        server = Server(laboratory)
        try:
            return ssh_changed.run(laboratory, quick, server)
        finally:
            server.stop()
            laboratory.clear()
    files = 5_000 if quick else 1_000_000 if part == "memory" else 50_000
    size = 1_000 if part == "memory" else 20_000
    if not quick:
        laboratory.need_space(24 if part == "memory" else 12)
    laboratory.forget("ssh-memory")
    source, facts = laboratory.tree(f"ssh-{part if part == 'memory' else 'small'}", files=files, bytes=str(files * size), seed=7)
    laboratory.warm(source, content=True)
    server = Server(laboratory)
    try:
        measured = {
            "first-0ms": lambda: first(laboratory, server, source, facts, 0),
            "first-50ms": lambda: first(laboratory, server, source, facts, 50),
            "again": lambda: again(laboratory, server, source, facts),
            "memory": lambda: memory(laboratory, server, source, facts),
        }[part]()
    finally:
        server.stop()
        laboratory.clear()
    result = {"workload": part, "files": facts["files"], "directories": facts["directories"], "bytes": facts["bytes"], **measured}
    if part != "memory":
        kind = part.split("-")[0]
        result["faster"] = {f"{kind}-{latency}{', ' + name if name in (SEVERAL, *UNTARGETED) else ''}": measure.ratios(times["rsync"], times[name])
                            for latency, times in result["seconds"].items() for name in times if name != "rsync"}
    return result


def text(result):
    if result["workload"] == "changed":
        return ssh_changed.text(result)
    if "peak_mib" in result:
        most = max(value for each in result["peak_mib"].values() for value in each.values())
        return f"   at most {most:.1f} MiB at either end for {result['files']:,} files (goal: {MEMORY_MIB} MiB for a million)"
    return "\n".join(f"   {name}: {ratio['median']:.2f} times as fast as rsync ({ratio['min']:.2f} to {ratio['max']:.2f}; {goal_of(name)})"
                     for name, ratio in result["faster"].items())


def goal_of(name):
    """rsync flushes nothing: beside what is flushed there is no goal."""
    figure, _, tool = name.partition(", ")
    return "no goal" if tool in UNTARGETED else f"goal {GOALS[figure]:g}"


INTRODUCTION = """\
Copies from another machine through OpenSSH's sshd on loopback, of which both ends, both sshs and a relay share the processors; the \
relay adds the milliseconds there and back. rsync -a through the same sshd and ssh. rsync leaves it to the kernel when its files are on \
the disk, and so does mediasync where it is compared with it (--fsync none); *flushed* is its default. *Without ssh* it copies from one directory to another: what the file system alone takes. New names \
for every first copy; the source is in the cache. Checked: the trees are equal after the first round."""


def rows(result, spread):
    """Rows of the report: figure, measured, target."""
    def judged(reached, limit):
        return f"{'reached' if reached else '**missed**'} ({limit})"
    if result["workload"] == "changed":
        return ssh_changed.rows(result, spread, judged)
    if "peak_mib" in result:
        return [(f"memory, {name}", f"{ends['near']:.0f} MiB here, {ends['far']:.0f} MiB there",
                 judged(max(ends.values()) <= MEMORY_MIB, f"<= {MEMORY_MIB}")) for name, ends in result["peak_mib"].items()]
    found = []
    for name, ratio in result["faster"].items():
        figure, _, tool = name.partition(", ")
        kind, latency = figure.split("-")
        ours, theirs = (statistics.median(result["seconds"][latency][each]) for each in (tool or "mediasync", "rsync"))
        found.append((f"{'first copy' if kind == 'first' else 'nothing to do'}, {latency}{tool and f', {tool}'}",
                      f"{ours:.2f} s, rsync {theirs:.2f} s: {spread(ratio)} times as fast",
                      "" if tool in UNTARGETED else judged(ratio["median"] >= GOALS[figure], f">= {GOALS[figure]:g}")))
    return found
