"""Runs commands, measures them, and knows the machine it runs on."""
import ctypes
import datetime
import json
import os
import platform
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SUPPORT = os.path.dirname(os.path.abspath(__file__))
PR_SET_CHILD_SUBREAPER = 36
LONGEST_RUN_SECONDS = 1800
IMAGE_BYTES, JOURNAL_MIB = 64 * 2**30, 1024      # of a file system of its own; the image is sparse


def reap():
    """Takes leave of descendants that were left behind: their processor time counts for whoever waits for them, and must not
    count for the next command."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


class Unfit(Exception):
    """This machine cannot run the workload: no root, no room, a tool is missing."""


class Failed(Exception):
    """A command that was measured failed, or its result was wrong."""


class Sample:
    """One run: wall time, and CPU time of the process and all its descendants, in seconds."""

    def __init__(self, wall, cpu):
        self.wall, self.cpu = wall, cpu


def ratios(ours, theirs):
    """Paired by round: median, smallest and largest."""
    each = [a / b for a, b in zip(ours, theirs) if b > 0]
    return {"median": statistics.median(each), "min": min(each), "max": max(each)}


class Laboratory:
    """A temporary directory with trees, helpers compiled on demand, and the way to run a command."""

    def __init__(self, parent, binary, rounds, quick, generator, own_filesystems=False):
        self.parent, self.binary, self.rounds, self.quick, self.generator = parent, binary, rounds, quick, generator
        self.trees, self.number, self.began = {}, 0, datetime.datetime.now(datetime.timezone.utc)
        self.discarded = []
        self.own_filesystems, self.mounted = own_filesystems, None

    def __enter__(self):
        os.makedirs(self.parent, exist_ok=True)
        self.root = tempfile.mkdtemp(prefix="mediasync-bench.", dir=self.parent)
        state = os.path.join(self.root, "state")
        os.mkdir(state)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("MEDIASYNC_", "RCLONE_", "RSYNC_"))}
        # Nothing of this machine's own configuration or state takes part.
        self.environment.update(HOME=state, MEDIASYNC_STATE=state, XDG_STATE_HOME=state, XDG_CONFIG_HOME=state,
                                XDG_CACHE_HOME=state, LC_ALL="C.UTF-8")
        # Descendants that outlive their parent become ours, so that their CPU time is counted.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return self

    def __exit__(self, *_):
        self.unmount()
        self.remove(self.root)

    # Trees

    def tree(self, name, **options):
        """The path and facts of a generated tree; made once. `name` says which tree it is."""
        if name not in self.trees:
            path = os.path.join(self.root, f"tree-{name}")
            arguments = [argument for key, value in options.items() for argument in (f"--{key}", str(value))]
            done = subprocess.run([self.generator, path, *arguments], check=True, stdout=subprocess.PIPE)
            self.trees[name] = (path, json.loads(done.stdout))
        return self.trees[name]

    def change(self, path, fraction, seed):
        done = subprocess.run([self.generator, path, "--mutate", str(fraction), "--seed", str(seed)],
                              check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def forget(self, name):
        """Removes a tree that no later workload needs."""
        if name in self.trees:
            self.remove(self.trees.pop(name)[0])

    def fresh(self, label):
        """A name that was never used before in this run."""
        self.number += 1
        return os.path.join(self.root, f"{self.number:04d}-{label}")

    def target(self, label):
        """The name of what a measured command makes. Where file systems are to be their own, it is alone on a new one, and what
        was made before it is gone: nothing of it is left to be written, nor are inodes that ext4 would avoid."""
        if not self.own_filesystems:
            return self.fresh(label)
        self.unmount()
        image, folder = self.fresh("image"), self.fresh("mounted")
        with open(image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        # The journal that mke2fs gives a file system of 128 GiB and more; inode tables are not cleared in the background meanwhile.
        for command in (["mkfs.ext4", "-q", "-F", "-J", f"size={JOURNAL_MIB}", image], ["mount", "-o", "loop,noinit_itable", image, folder]):
            os.makedirs(folder, exist_ok=True)
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                raise Unfit(f"a file system for each command needs root and loop devices: {done.stderr.strip()}")
        self.mounted = (image, folder)
        return os.path.join(folder, label)

    def unmount(self):
        if self.mounted:
            image, folder = self.mounted
            subprocess.run(["umount", folder], check=True)
            os.remove(image)
            os.rmdir(folder)
            self.mounted = None

    def remove(self, path):
        subprocess.run(["rm", "-rf", "--", path], check=False)

    def discard(self, path):
        """To be removed when nothing is measured any more."""
        self.discarded.append(path)

    def clear(self):
        while self.discarded:
            self.remove(self.discarded.pop())

    def need_space(self, gib):
        free = shutil.disk_usage(self.root).free / 2**30
        if free < gib * 1.2:
            raise Unfit(f"needs {gib:.0f} GiB in {self.parent}, {free:.0f} GiB are free")

    def compiled(self, source, *flags):
        output = os.path.join(self.root, os.path.basename(source).rpartition(".")[0] + (".so" if "-shared" in flags else ""))
        if not os.path.exists(output):
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", output, os.path.join(SUPPORT, source), *flags], check=True)
        return output

    def raw_list(self, tree):
        """The list that raw-copy reads: directories by depth, then files."""
        output = os.path.join(self.root, "raw-list-" + os.path.basename(tree))
        if not os.path.exists(output):
            directories, files = [], []
            for folder, _, names in os.walk(tree):
                inside = os.path.relpath(folder, tree)
                if inside != ".":
                    directories.append((inside.count("/"), os.stat(folder).st_mtime_ns, inside))
                for name in names:
                    path = os.path.join(folder, name)
                    files.append((0, os.lstat(path).st_mtime_ns, os.path.relpath(path, tree)))
            directories.sort(key=lambda entry: (entry[0], entry[2]))
            files.sort(key=lambda entry: entry[2])
            with open(output, "w", encoding="utf-8") as out:
                for kind, entries in (("d", directories), ("f", files)):
                    for depth, ns, path in entries:
                        out.write(f"{kind} {depth} {ns // 10**9} {ns % 10**9} {path}\0")
        return output

    # Running

    def run(self, command, environment=None, accept=(0,), output=None):
        """Runs a command to its end and measures it."""
        log = os.path.join(self.root, "stderr")
        variables = dict(self.environment, **(environment or {}))
        reap()
        with open(log, "wb") as errors, open(output or os.devnull, "wb") as out:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                       start_new_session=True, cwd=self.root)
            watchdog = threading.Timer(LONGEST_RUN_SECONDS, lambda: os.killpg(process.pid, signal.SIGKILL))
            watchdog.start()
            try:
                status = process.wait()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            finally:
                watchdog.cancel()
            wall = time.perf_counter() - began
        reap()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if status not in accept:
            with open(log, "rb") as file:
                tail = file.read()[-600:].decode("utf-8", "replace").strip()
            said = f"{' '.join(command)} ended with {status}: {tail}"
            raise Failed(" ".join(said.replace(self.root, "...").replace(self.binary, "mediasync").split()))
        cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
        return Sample(wall, cpu)

    def settle(self):
        """What earlier runs left to write is written, so that the next one does not pay for it."""
        os.sync()

    def warm(self, *paths, content):
        """Brings names, attributes and (with `content`) bytes into the cache."""
        subprocess.run(["find", *paths, "-printf", "%s"], check=True, stdout=subprocess.DEVNULL)
        if content:
            subprocess.run(["find", *paths, "-type", "f", "-exec", "cat", "{}", "+"], check=True, stdout=subprocess.DEVNULL)

    def drop_caches(self):
        if os.geteuid() != 0:
            raise Unfit("dropping caches needs root")
        os.sync()
        try:
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("3")
        except OSError as error:
            raise Unfit(f"caches cannot be dropped here: {error.strerror}") from error

    def same(self, source, target):
        """Whether rsync finds nothing to do: content by size and time, modes, owners, times, no extra names."""
        done = subprocess.run(["rsync", "-ain", "--delete", source + "/", target + "/"], check=True, stdout=subprocess.PIPE)
        if done.stdout:
            print("   differs: " + done.stdout.decode("utf-8", "replace").splitlines()[0], file=sys.stderr)
        return not done.stdout

    def rounds_of(self, tools, before, one):
        """Runs every tool once a round, in alternating order. Returns {tool name: [Sample]}."""
        samples = {tool.name: [] for tool in tools}
        for turn in range(self.rounds):
            order = tools[turn % len(tools):] + tools[:turn % len(tools)]
            for tool in order if turn % 2 == 0 else reversed(order):
                before(tool)
                samples[tool.name].append(one(tool, turn))
        return samples

    # The machine

    def document(self, subject, results, arguments):
        return {
            "format": 1,
            "subject": subject,
            "date": self.began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "command": "scripts/bench " + " ".join(without_paths(arguments)),
            "commit": commit(),
            "machine": self.machine(),
            "versions": versions(self.binary),
            "workloads": results,
        }

    def machine(self):
        cpu = first_match("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.machine()
        memory = int(first_match("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) / 2**20
        system = first_match("/etc/os-release", r'PRETTY_NAME="?([^"\n]+)') or platform.system()
        kind = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", self.parent], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        if self.own_filesystems:
            kind = f"a new ext4 for each command, in an image on {kind}"
        return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory),
                "filesystem": kind, "kernel": platform.release(), "system": system}


def without_paths(arguments):
    """The arguments to repeat a run with, without this machine's own directories."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("--dir", "--binary"):
            skip = True
        elif not argument.startswith(("--dir=", "--binary=")):
            kept.append(argument)
    return kept


def first_match(path, pattern):
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(pattern, file.read())
    except OSError:
        return None
    return found.group(1).strip() if found else None


def commit():
    done = subprocess.run(["git", "-C", SUPPORT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip()


def versions(binary):
    """What each tool says of itself, in one line."""
    asked = {"mediasync": [binary, "--version"], "rsync": ["rsync", "--version"], "cp": ["cp", "--version"],
             "rclone": ["rclone", "version"], "curl": ["curl", "--version"], "ruby": ["ruby", "--version"], "libvips": ["vips", "--version"],
             "swift": ["swift", "--version"]}
    found = {}
    for name, command in asked.items():
        if shutil.which(command[0]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
            lines = done.stdout.strip().splitlines()
            if done.returncode == 0 and lines:
                number = re.search(r"\d+(?:\.\d+)+\S*", lines[0])
                found[name] = number.group(0) if number else lines[0]
    return found
