"""mediasync refresh beside a stand-in for tootctl's loop, against 200 hosts on loopback and a real Mastodon database; its parts can
be run one by one."""
import concurrent.futures
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import threading
import time

import image_bench
import measure
from cleanup_bench import Database

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ("items", "dead", "stage", "rows", "memory")
HOSTS, THREADS = 200, 5                 # THREADS: tootctl's own default
LATENCY_MS, DEAD_LATENCY_MS = (100, 300), (300, 300)
PER_HOST, RATE = 6, 20                  # mediasync's own defaults
IN_FLIGHT = 128
COMMIT_ROWS = 500                       # CommitStage.batchRows
# Mastodon's, and ours: what one request to a dead host or a tarpit costs.
GOALS = {
    "times_stand_in": 5, "cpu_of_stand_in": 0.2, "psnr_db": 0.2, "size_ratio": 1.05,
    "dead_times_stand_in": 20, "makespan": 1.1,
    "of_stage": 0.9, "cpu_ms": 12,
    "rows_per_s": 20_000,
    "peak_mib": 192,
}
INTRODUCTION = (
    "The *stand-in* is a loop written for this benchmark in Ruby with the libraries that Mastodon uses (ruby-vips, libpq), without Rails: it "
    "is not tootctl. It does what tootctl's code does with a row and no more: five threads, batches that wait for their slowest, a "
    "connection for each file, the variants by libvips, the blurhash in C, one transaction for each row; its files are not flushed, while "
    "mediasync's are. Hosts are addresses of one server on loopback, which answers after their latency; PostgreSQL has its defaults, fsync on, "
    "and a Mastodon 4.6 schema. Shares and CPU of tools are without those two. Checked after every run: rows and files are there.")
FIRST_ID = 115_000_000_000_000_000


# What the origin has

class Media:
    """Pictures as other servers have them, made once: 1.5-megapixel JPEGs, other formats, avatars of 400 pixels."""

    def __init__(self, laboratory, quick):
        self.folder = laboratory.fresh("media")
        os.mkdir(self.folder)
        self.pictures = image_bench.make(self.folder, 4 if quick else 16)
        self.jpegs = [("image/jpeg", name + ".jpg") for name, _, _ in self.pictures]
        self.others, self.avatars = [], []
        for name, _, _ in self.pictures[:4]:
            self.others += [self.convert(name, "-700.png", "700x700"), self.convert(name, "-1600.webp[Q=80]", "1600x1600"),
                            self.drawn(name, "png", "1280x900"), self.drawn(name, "gif", "640x480")]
        for index, (name, _, _) in enumerate(self.pictures):
            ends = ["-avatar.jpg[Q=85]", "-avatar.png", "-avatar.jpg[Q=90]", "-avatar.webp[Q=80]"]
            self.avatars.append(self.convert(name, ends[index % len(ends)], "400x400", "--smartcrop", "centre"))
        self.bodies = self.jpegs + self.others + self.avatars
        self.list = os.path.join(self.folder, "bodies")
        with open(self.list, "w", encoding="utf-8") as out:
            out.write("".join(f"{kind} {path}\n" for kind, path in self.bodies))

    @staticmethod
    def convert(name, end, size, *options):
        image_bench.check(["vipsthumbnail", name + ".png", "--size", size, *options, "-o", name + end])
        path = name + re.sub(r"\[.*", "", end)
        return "image/" + path.rpartition(".")[2].replace("jpg", "jpeg"), path

    @staticmethod
    def drawn(name, end, size):
        """Flat colours with sharp edges, as pictures of screens have them."""
        path = f"{name}-drawn.{end}"
        image_bench.check(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}", "-frames:v", "1", path])
        return "image/" + end, path

    def attachment(self, chance, only_jpeg):
        """The number of a body: seven in eight are JPEGs."""
        if only_jpeg or chance.random() < 0.875:
            return chance.randrange(len(self.jpegs))
        return len(self.jpegs) + chance.randrange(len(self.others))

    def avatar(self, chance):
        return len(self.jpegs) + len(self.others) + chance.randrange(len(self.avatars))


class Item:
    def __init__(self, kind, number, host, body):
        self.kind, self.number, self.host, self.body = kind, number, host, body


class Work:
    """Rows and where their files are: a few hosts have many, most have few."""

    def __init__(self, media, attachments, avatars, only_jpeg=False, exponent=0.7, kinds=""):
        chance = random.Random(11)
        weights = [1 / (rank + 1) ** exponent for rank in range(HOSTS)]
        hosts = chance.choices(range(HOSTS), weights, k=attachments + avatars)
        self.media, self.kinds = media, kinds
        self.items = [Item("attachment", FIRST_ID + 65_536 * index, hosts[index], media.attachment(chance, only_jpeg))
                      for index in range(attachments)]
        self.items += [Item("avatar", FIRST_ID + index, hosts[attachments + index], media.avatar(chance))
                       for index in range(avatars)]

    def per_host(self):
        counts = [0] * HOSTS
        for item in self.items:
            counts[item.host] += 1
        return counts

    def bytes(self):
        sizes = [os.path.getsize(path) for _, path in self.media.bodies]
        return sum(sizes[item.body] for item in self.items)

    def sample(self, count):
        """Evenly from all: every so many of the items in the order of their hosts."""
        ordered = sorted(self.items, key=lambda item: (item.kind, item.host))
        step = len(ordered) / min(count, len(ordered))
        return [ordered[int(index * step)] for index in range(min(count, len(ordered)))]

    def count(self, kind):
        return sum(item.kind == kind for item in self.items)


class Origin:
    """All hosts in one process; ended by its own pid."""

    def __init__(self, laboratory, work, latency):
        program = laboratory.compiled("media-origin.c")
        self.process = subprocess.Popen([program, work.media.list, str(HOSTS), *map(str, latency), work.kinds or "."],
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def url(self, item, path):
        return f"http://127.1.0.{item.host + 1}:{self.port}/{item.body}/{item.number}{os.path.splitext(path)[1]}"

    def cpu(self):
        return sum(ticks(self.process.pid)[:2])

    def stop(self):
        self.process.terminate()
        said = self.process.stdout.read()
        self.process.wait()
        self.process.stdout.close()
        return json.loads(said)


# The database

def fill(server, name, work, origin):
    server.make(name)
    folder = os.path.join(server.root, "rows")
    os.makedirs(folder, exist_ok=True)
    accounts, attachments = os.path.join(folder, "accounts"), os.path.join(folder, "attachments")
    with open(accounts, "w", encoding="ascii") as out:
        for host in range(HOSTS):
            out.write(f"{host + 1}\tauthor\thost{host}.example\t\\N\n")
        for item in work.items:
            if item.kind == "avatar":
                url = origin.url(item, work.media.bodies[item.body][1])
                out.write(f"{item.number}\tuser{item.number}\thost{item.host}.example\t{url}\n")
    with open(attachments, "w", encoding="ascii") as out:
        for item in work.items:
            if item.kind == "attachment":
                out.write(f"{item.number}\t{item.host + 1}\t{origin.url(item, work.media.bodies[item.body][1])}\n")
    script = os.path.join(folder, "script")
    with open(script, "w", encoding="utf-8") as out:
        out.write(f"""
            ALTER TABLE accounts ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
            ALTER TABLE media_attachments ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
            \\copy accounts (id, username, domain, avatar_remote_url) FROM '{accounts}'
            \\copy media_attachments (id, account_id, remote_url) FROM '{attachments}'
            ALTER TABLE accounts ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT;
            ALTER TABLE media_attachments ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT;
            """)
    server.client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", name, "-f", script)
    server.sql("VACUUM ANALYZE", name, user="postgres")


def named(server, name):
    """How many rows name a file."""
    return int(server.sql("SELECT (SELECT count(*) FROM media_attachments WHERE file_file_name <> '') + "
                          "(SELECT count(*) FROM accounts WHERE avatar_file_name <> '')", name))


# Processes

TICK = os.sysconf("SC_CLK_TCK")


def ticks(pid):
    """Seconds of processor time: user, system, and those of children that were waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return [int(field) / TICK for field in fields[11:15]]


def children(pid):
    try:
        found = []
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
        return found
    except OSError:
        return []


def tree_cpu(pid):
    total = sum(ticks(pid))
    for child in children(pid):
        try:
            total += sum(ticks(child))
        except OSError:
            pass
    return total


class MemoryWatch(threading.Thread):
    """The most resident memory of a process and of its children, looked at 20 times a second."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.name_of, self.over = name, threading.Event()
        self.parent = self.child = self.together = 0
        self.most_children = 0

    @staticmethod
    def resident(pid):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                text = file.read()
            found = re.search(r"VmRSS:\s*(\d+)", text)
            return int(found.group(1)) / 1024 if found else 0
        except OSError:
            return 0

    def run(self):
        while not self.over.wait(0.05):
            for pid in children(os.getpid()):
                try:
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                        if file.read().strip() != self.name_of:
                            continue
                except OSError:
                    continue
                parent, others = self.resident(pid), [self.resident(child) for child in children(pid)]
                self.parent, self.child = max(self.parent, parent), max([self.child, *others])
                self.together = max(self.together, parent + sum(others))
                self.most_children = max(self.most_children, len(others))


class Run:
    """What one run of a tool took, and what the others took meanwhile, in seconds."""

    def __init__(self, count, sample, origin, server):
        self.count, self.wall, self.cpu, self.origin, self.server = count, sample.wall, sample.cpu, origin, server

    @property
    def rate(self):
        return self.count / self.wall

    @property
    def milliseconds(self):
        return self.cpu / self.count * 1000


class Bench:
    def __init__(self, laboratory, server, media, quick):
        self.laboratory, self.server, self.media, self.quick = laboratory, server, media, quick
        pixels = os.path.join(ROOT, "Sources", "CPixels")
        self.hash = laboratory.compiled(os.path.join(pixels, "blurhash.c"), "-shared", "-fPIC", "-I" + os.path.join(pixels, "include"), "-lm")

    def observed(self, count, origin, command, **options):
        self.laboratory.settle()
        before = origin.cpu(), tree_cpu(self.server.process.pid)
        sample = self.laboratory.run(command, **options)
        after = origin.cpu(), tree_cpu(self.server.process.pid)
        return Run(count, sample, after[0] - before[0], after[1] - before[1])

    def root(self):
        place = self.laboratory.fresh("root")
        os.makedirs(os.path.join(place, "cache"))
        return place

    def settings(self):
        place = os.path.join(self.laboratory.root, "settings")
        with open(place, "w", encoding="utf-8") as out:
            out.write(f"DB_HOST={self.server.root}\nDB_PORT=5432\nDB_USER=mastodon\nDB_NAME=live\nLOCAL_DOMAIN=my.example\n"
                      "ALLOWED_PRIVATE_ADDRESSES=127.0.0.0/8\n")
        return place

    def ours(self, work, origin, *options, accept=(0,), only="attachments,avatars"):
        """A run on a database, a media root and a state of its own: the run and the root."""
        self.server.copy("origin", "live")
        root, state = self.root(), self.laboratory.fresh("state")
        os.mkdir(state)
        command = [self.laboratory.binary, "refresh", "--all", "--only", only, "--env-file", self.settings(), "--media-root", root,
                   "--state", state, "-j", str(IN_FLIGHT), "--per-host", str(PER_HOST), "--rate", str(RATE), *options]
        output = os.path.join(self.laboratory.root, "said")
        run = self.observed(len(work.items), origin, command, accept=accept, output=output)
        run.named = named(self.server, "live")
        files = sum(len(names) for _, _, names in os.walk(os.path.join(root, "cache")))
        expected = len(work.items) if accept == (0,) else None
        if expected not in (None, run.named) or files < run.named:
            raise measure.Failed(f"{run.named} of {len(work.items)} rows name a file, {files} files are there")
        return run, root

    def stand_in(self, items, origin):
        self.server.copy("origin", "live")
        root = self.root()
        wanted = os.path.join(self.laboratory.root, "wanted")
        with open(wanted, "w", encoding="ascii") as out:
            out.write("".join(f"{item.kind} {item.number}\n" for item in items))
        said = os.path.join(self.laboratory.root, "said")
        script = os.path.join(measure.SUPPORT, "tootctl-stand-in.rb")
        run = self.observed(len(items), origin, ["ruby", script, root, wanted, self.hash, str(THREADS)], output=said,
                            environment={**self.server.environment, "PGDATABASE": "live"})
        with open(said, encoding="ascii") as file:
            done, failed = map(int, file.read().split())
        run.named = named(self.server, "live")
        if done + failed != len(items) or run.named != done:
            raise measure.Failed(f"the stand-in did {done} of {len(items)} items, {failed} failed, {run.named} rows name a file")
        return run, root

    def clear(self, root):
        self.server.drop("live")
        self.laboratory.discard(root)

    def start(self, work, latency):
        origin = Origin(self.laboratory, work, latency)
        try:
            fill(self.server, "origin", work, origin)
        except BaseException:
            origin.stop()
            raise
        return origin

    def end(self, origin):
        self.server.drop("origin")
        return origin.stop()

    def pairs(self, one, other):
        """Both in turn, in alternating order: the runs of each."""
        kept = [], []
        for turn in range(self.laboratory.rounds):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                run, root = (one, other)[which]()
                kept[which].append(run)
                print(f"   {('mediasync', 'stand-in')[which]:10} {run.count:6} items, {run.rate:7.1f} a second, {run.milliseconds:6.2f} ms of CPU"
                      f" each; origin {run.origin / run.wall / os.cpu_count():.1%}, server {run.server / run.wall / os.cpu_count():.1%}"
                      " of the processors", flush=True)
                if len(kept[0]) == len(kept[1]) == self.laboratory.rounds:
                    self.last = root
                self.clear(root)
        return kept

    # Parts

    def items(self):
        work = Work(self.media, *((100, 100) if self.quick else (5_000, 5_000)))
        sample = work.sample(40 if self.quick else 500)
        origin = self.start(work, LATENCY_MS)
        try:
            likeness = {}

            def ours():
                run, root = self.ours(work, origin)
                likeness["ours"] = self.smalls(root, work)
                return run, root

            def theirs():
                run, root = self.stand_in(sample, origin)
                likeness["theirs"] = self.smalls(root, work)
                return run, root
            mine, other = self.pairs(ours, theirs)
        finally:
            seen = self.end(origin)
        return {
            **self.sides(mine, other), "items": len(work.items), "sample": len(sample), "bytes": work.bytes(),
            "latency_ms": LATENCY_MS, "seen": seen,
            "times_stand_in": measure.ratios([run.rate for run in mine], [run.rate for run in other]),
            "cpu_of_stand_in": measure.ratios([run.milliseconds for run in mine], [run.milliseconds for run in other]),
            "likeness": self.likeness(likeness),
        }

    def smalls(self, root, work):
        """For each JPEG, one small variant: the files outlive their roots."""
        bodies = {item.number: item.body for item in work.items if item.kind == "attachment"}
        rows = self.server.sql("SELECT id, file_file_name FROM media_attachments WHERE file_file_name <> ''", "live").split("\n")
        found = {}
        for row in rows:
            number, name = row.split("|")
            body = bodies[int(number)]
            if body < len(self.media.jpegs) and body not in found:
                groups = "/".join(number[at:at + 3] for at in range(0, len(number), 3))
                path = os.path.join(root, "cache/media_attachments/files", groups, "small", name)
                kept = self.laboratory.fresh("small") + ".jpg"
                shutil.copy(path, kept)
                found[body] = kept
        return found

    def likeness(self, found):
        """Of the small variants that both made: likeness to the lossless picture, and bytes."""
        both = sorted(set(found["ours"]) & set(found["theirs"]))
        if not both:
            raise measure.Failed("no picture was made by both")
        result = {"pictures": len(both)}
        for who in ("ours", "theirs"):
            result[who] = {
                "psnr": statistics.mean(image_bench.similarity(found[who][body], self.media.pictures[body][0]) for body in both),
                "bytes": statistics.mean(os.path.getsize(found[who][body]) for body in both)}
        return result

    @staticmethod
    def sides(mine, other):
        def side(runs):
            return {"rates": [round(run.rate, 2) for run in runs], "cpu_ms": [round(run.milliseconds, 3) for run in runs],
                    "origin_share": round(max(run.origin / run.wall for run in runs) / os.cpu_count(), 4),
                    "server_share": round(max(run.server / run.wall for run in runs) / os.cpu_count(), 4),
                    "named": [run.named for run in runs]}
        return {"ours": side(mine), "stand_in": side(other)}

    def dead(self):
        kinds = ["."] * HOSTS
        kinds[5::10] = "x" * len(kinds[5::10])
        kinds[7::50] = "t" * len(kinds[7::50])
        count = 200 if self.quick else 6_000
        work = Work(self.media, count // 2, count // 2, exponent=1.0 if self.quick else 1.18, kinds="".join(kinds))
        loads = work.per_host()
        alive = [host for host in range(HOSTS) if kinds[host] == "."]
        sample = work.sample(20 if self.quick else 200)
        latency = DEAD_LATENCY_MS[0] / 1000
        # What living hosts cost at least, and one try of each dead one.
        largest = max(loads[host] for host in alive) * max(1 / RATE, latency / PER_HOST)
        total = sum(loads[host] for host in alive) * latency / IN_FLIGHT
        bound = max(total, largest)
        origin = self.start(work, DEAD_LATENCY_MS)
        try:
            mine, other = self.pairs(lambda: self.ours(work, origin, accept=(3,)), lambda: self.stand_in(sample, origin))
        finally:
            seen = self.end(origin)
        living = sum(loads[host] for host in alive)
        for run in mine:
            if run.named != living:
                raise measure.Failed(f"{run.named} rows name a file, of {living} at living hosts")
        return {
            **self.sides(mine, other), "items": len(work.items), "living_items": living, "sample": len(sample),
            "dead_hosts": kinds.count("x"), "tarpits": kinds.count("t"),
            "dead_items": sum(loads[host] for host in range(HOSTS) if kinds[host] == "x"),
            "tarpit_items": sum(loads[host] for host in range(HOSTS) if kinds[host] == "t"),
            "latency_ms": DEAD_LATENCY_MS, "seen": seen, "largest_s": round(largest, 2), "total_s": round(total, 2),
            "walls": [round(run.wall, 2) for run in mine],
            "times_stand_in": measure.ratios([run.rate for run in mine], [run.rate for run in other]),
            "makespan": measure.ratios([run.wall for run in mine], [bound] * len(mine)),
        }

    def stage(self):
        count = 100 if self.quick else 3_000
        work = Work(self.media, count, 0, only_jpeg=True)
        origin = self.start(work, LATENCY_MS)
        kept = {"pipeline": [], "alone": []}
        try:
            for turn in range(self.laboratory.rounds):
                for which in ("pipeline", "alone") if turn % 2 == 0 else ("alone", "pipeline"):
                    if which == "pipeline":
                        run, root = self.ours(work, origin, only="attachments")
                        self.clear(root)
                    else:
                        run = self.alone(work)
                    kept[which].append(run)
                    print(f"   {which:10} {run.rate:7.1f} a second, {run.milliseconds:6.2f} ms of CPU each", flush=True)
        finally:
            seen = self.end(origin)
        pipeline, alone = kept["pipeline"], kept["alone"]
        return {
            "items": count, "bytes": work.bytes(), "seen": seen, "pixels": statistics.mean(w * h for _, w, h in self.media.pictures),
            "rates": [round(run.rate, 2) for run in pipeline], "alone_rates": [round(run.rate, 2) for run in alone],
            "cpu_ms": [round(run.milliseconds, 3) for run in pipeline], "alone_cpu_ms": [round(run.milliseconds, 3) for run in alone],
            "origin_ms": round(statistics.median(run.origin / run.count * 1000 for run in pipeline), 3),
            "server_ms": round(statistics.median(run.server / run.count * 1000 for run in pipeline), 3),
            "of_stage": measure.ratios([run.rate for run in pipeline], [run.rate for run in alone]),
        }

    def alone(self, work):
        """As many decoders as mediasync takes, given the same pictures in the same order: nothing else runs."""
        paths = [self.media.bodies[item.body][1] for item in work.items]
        workers = os.cpu_count()
        folder = self.laboratory.fresh("alone")
        os.mkdir(folder)
        self.laboratory.settle()
        decoders = [image_bench.Decoder(self.laboratory.binary) for _ in range(workers)]
        for decoder in decoders:
            decoder.ask(paths[0], folder)
        before = [sum(ticks(decoder.process.pid)) for decoder in decoders]
        begin = time.perf_counter()

        def work_off(index):
            for path in paths[index::workers]:
                decoders[index].ask(path, folder)
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(work_off, index) for index in range(workers)]:
                done.result()
        wall = time.perf_counter() - begin
        cpu = sum(sum(ticks(decoder.process.pid)) for decoder in decoders) - sum(before)
        for decoder in decoders:
            decoder.end()
        return Run(len(paths), measure.Sample(wall, cpu), 0, 0)

    def rows(self):
        package = os.path.join(ROOT, "Benchmarks")
        build = ["swift", "build", "-c", "release", "--package-path", package, "--product", "RowLoad"]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        folder = subprocess.run([*build, "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        count = 2_000 if self.quick else 100_000
        work = Work(self.media, count, 0, only_jpeg=True)
        origin = self.start(work, LATENCY_MS)
        rates = []
        try:
            for _ in range(self.laboratory.rounds):
                self.server.copy("origin", "live")
                self.laboratory.settle()
                done = subprocess.run([os.path.join(folder, "RowLoad"), str(COMMIT_ROWS)], check=True, stdout=subprocess.PIPE, text=True,
                                      env={**self.laboratory.environment, **self.server.environment, "PGDATABASE": "live"})
                changed, seconds = done.stdout.split()
                if int(changed) != count or named(self.server, "live") != count:
                    raise measure.Failed(f"{changed} of {count} rows were changed")
                rates.append(count / float(seconds))
                print(f"   {rates[-1]:,.0f} rows a second", flush=True)
                self.server.drop("live")
        finally:
            self.end(origin)
        return {"rows": count, "batch": COMMIT_ROWS, "rows_per_s": [round(rate) for rate in rates]}

    def memory(self):
        work = Work(self.media, *((100, 100) if self.quick else (3_000, 2_000)))
        origin = self.start(work, (300, 300))
        watches = []
        try:
            for _ in range(self.laboratory.rounds):
                watch = MemoryWatch(os.path.basename(self.laboratory.binary))
                watch.start()
                try:
                    _, root = self.ours(work, origin, "-j", "256", "--rate", "200", "--per-host", "16")
                finally:
                    watch.over.set()
                    watch.join()
                self.clear(root)
                watches.append(watch)
                print(f"   {watch.parent:.1f} MiB, a child {watch.child:.1f} MiB, together {watch.together:.1f} MiB", flush=True)
        finally:
            seen = self.end(origin)
        return {
            "items": len(work.items), "in_flight": 256, "seen": seen,
            "parent_mib": round(max(watch.parent for watch in watches), 1), "child_mib": round(max(watch.child for watch in watches), 1),
            "children": max(watch.most_children for watch in watches),
            "together_mib": round(max(watch.together for watch in watches), 1),
        }


def run(laboratory, quick, part):
    """Returns the result of one part as a dictionary of plain values."""
    for program in ("ruby", "vipsthumbnail", "ffmpeg"):
        if shutil.which(program) is None:
            raise measure.Unfit(f"needs {program}; scripts/bootstrap --bench installs it")
    laboratory.need_space(1 if quick else 12)
    if not hasattr(laboratory, "media"):
        laboratory.media = Media(laboratory, quick)
    server = Database(laboratory.root)
    try:
        result = getattr(Bench(laboratory, server, laboratory.media, quick), part)()
    finally:
        server.stop()
        laboratory.remove(server.root)
        laboratory.clear()
    return {"workload": part, "rounds": laboratory.rounds, **result, "goals": GOALS}


# Reporting

def judged(figure, limit, least=True):
    reached = figure >= limit if least else figure <= limit
    return f"{'reached' if reached else '**missed**'} ({'>=' if least else '<='} {limit:,g})"


def spread(ratio):
    digits = 3 if ratio["median"] < 0.1 else 2
    return f"{ratio['median']:.{digits}f} ({ratio['min']:.{digits}f}..{ratio['max']:.{digits}f})"


def runs(values, unit):
    return f"{statistics.median(values):,.1f} {unit} ({min(values):,.1f}..{max(values):,.1f})"


def figures(result):
    """What was measured, the figure, and the target with its verdict: rows of a table."""
    return globals()[result["workload"] + "_figures"](result, result["goals"])


def items_figures(result, goals):
    likeness = result["likeness"]
    ours, theirs = likeness["ours"], likeness["theirs"]
    return [
        ("items, mediasync", runs(result["ours"]["rates"], "a second"), ""),
        ("items, stand-in", runs(result["stand_in"]["rates"], "a second"), ""),
        ("items, times the stand-in", spread(result["times_stand_in"]), judged(result["times_stand_in"]["median"], goals["times_stand_in"])),
        ("CPU of an item, mediasync", runs(result["ours"]["cpu_ms"], "ms"), ""),
        ("CPU of an item, stand-in", runs(result["stand_in"]["cpu_ms"], "ms"), ""),
        ("CPU of an item, part of the stand-in's", spread(result["cpu_of_stand_in"]),
         judged(result["cpu_of_stand_in"]["median"], goals["cpu_of_stand_in"], least=False)),
        ("likeness of the small variant", f"{ours['psnr']:.2f} dB, stand-in {theirs['psnr']:.2f} dB",
         judged(round(theirs["psnr"] - ours["psnr"], 3), goals["psnr_db"], least=False)),
        ("bytes of the small variant, to the stand-in's", f"{ours['bytes'] / theirs['bytes']:.3f}",
         judged(ours["bytes"] / theirs["bytes"], goals["size_ratio"], least=False)),
    ]


def dead_figures(result, goals):
    return [
        ("dead hosts: items, mediasync", runs(result["ours"]["rates"], "a second"), ""),
        ("dead hosts: items, stand-in", runs(result["stand_in"]["rates"], "a second"), ""),
        ("dead hosts: items, times the stand-in", spread(result["times_stand_in"]),
         judged(result["times_stand_in"]["median"], goals["dead_times_stand_in"])),
        ("dead hosts: time to the lower bound", spread(result["makespan"]), judged(result["makespan"]["median"], goals["makespan"], least=False)),
    ]


def stage_figures(result, goals):
    return [
        ("1.5-megapixel JPEGs, pipeline", runs(result["rates"], "a second"), ""),
        ("1.5-megapixel JPEGs, decoders alone", runs(result["alone_rates"], "a second"), ""),
        ("pipeline, part of its decoders alone", spread(result["of_stage"]), judged(result["of_stage"]["median"], goals["of_stage"])),
        ("CPU of a JPEG, decoders alone", runs(result["alone_cpu_ms"], "ms"), ""),
        ("CPU of a JPEG, whole pipeline", runs(result["cpu_ms"], "ms"), judged(statistics.median(result["cpu_ms"]), goals["cpu_ms"], least=False)),
    ]


def rows_figures(result, goals):
    rate = statistics.median(result["rows_per_s"])
    return [("rows changed durably", runs(result["rows_per_s"], "a second"), judged(rate, goals["rows_per_s"]))]


def memory_figures(result, goals):
    return [
        ("memory at 256 in flight, mediasync", f"{result['parent_mib']:g} MiB", ""),
        (f"memory at 256 in flight, the largest of {result['children']} decoders", f"{result['child_mib']:g} MiB", ""),
        ("memory at 256 in flight, all at one time", f"{result['together_mib']:g} MiB",
         judged(result["together_mib"], goals["peak_mib"], least=False)),
    ]


def text(result):
    return "\n".join(f"   {what:50} {figure:>34}  {verdict}" for what, figure, verdict in figures(result))


def remarks(result):
    """What a part measured, for the lines below its table."""
    return globals()[result["workload"] + "_remarks"](result) + f" Rounds: {result['rounds']}."


def shares(result):
    return (f"The origin took at most {result['ours']['origin_share']:.1%} of the processors, the server {result['ours']['server_share']:.1%}; "
            "neither is counted for a tool.")


def items_remarks(result):
    low, high = result["latency_ms"]
    return (f"*items*: {result['items']:,} attachments and avatars, {result['bytes'] / 2**20:,.0f} MiB, from {HOSTS} hosts that answer after "
            f"{low} to {high} ms; {IN_FLIGHT} in flight, {PER_HOST} and {RATE} requests a second at one host (at most "
            f"{result['seen']['most_under_way_at_one_host']} and {result['seen']['most_a_second_at_one_host']} were seen). The stand-in takes "
            f"{result['sample']} of the same rows, evenly. {shares(result)}")


def dead_remarks(result):
    return (f"*dead hosts*: {result['items']:,} items of {HOSTS} hosts after {result['latency_ms'][0]} ms, {result['dead_hosts']} of which never "
            f"connect ({result['dead_items']:,} items) and {result['tarpits']} send a byte every two seconds ({result['tarpit_items']:,} items); the "
            f"stand-in takes {result['sample']} of them. The lower bound is that of the largest living host, {result['largest_s']:g} s at "
            f"{RATE} a second (all items over {IN_FLIGHT} in flight: {result['total_s']:g} s). {shares(result)}")


def stage_remarks(result):
    return (f"*pipeline*: {result['items']:,} JPEGs of {result['pixels'] / 1e6:.2f} megapixels, {result['bytes'] / result['items'] / 1000:.0f} kB "
            f"on average; alone, as many decoders do the same pictures and nothing else runs. Beside the pipeline the origin takes "
            f"{result['origin_ms']:.2f} ms of CPU for each and the server {result['server_ms']:.2f} ms, of the same processors.")


def rows_remarks(result):
    return f"*rows*: {result['rows']:,} rows of media_attachments by one session, {result['batch']} in a transaction, as the commit stage writes them."


def memory_remarks(result):
    return f"*memory*: {result['items']:,} items, {result['in_flight']} transfers in flight, looked at 20 times a second; shared pages count for each."
