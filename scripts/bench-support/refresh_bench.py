"""mediasync refresh beside a stand-in for tootctl's loop, against 200 hosts on loopback and a real Mastodon database; its parts can
be run one by one."""
import concurrent.futures
import os
import re
import shutil
import statistics
import subprocess
import threading
import time

import image_bench
import measure
from cleanup_bench import Database
from refresh_figures import INTRODUCTION, figures, remarks, text  # noqa: F401  (what reports show)
from refresh_world import HOSTS, IN_FLIGHT, PER_HOST, RATE, Media, Origin, Work, fill, named, ticks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ("items", "dead", "stage", "rows", "memory")
THREADS = 5                             # tootctl's own default
LATENCY_MS, DEAD_LATENCY_MS = (100, 300), (300, 300)
COMMIT_ROWS = 500                       # CommitStage.batchRows
GOALS = {
    "times_stand_in": 5, "cpu_of_stand_in": 0.2, "psnr_db": 0.2, "size_ratio": 1.05,
    "dead_times_stand_in": 20, "makespan": 1.1,
    "of_stage": 0.9, "cpu_ms": 12,
    "rows_per_s": 20_000,
    "peak_mib": 192,
}


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


class Processors:
    """What part of all processors' time nobody used, or another machine took, from its making on."""

    def __init__(self):
        self.before = self.times()

    @staticmethod
    def times():
        with open("/proc/stat", encoding="ascii") as file:
            return [int(field) for field in file.readline().split()[1:9]]

    def shares(self):
        spent = [after - before for after, before in zip(self.times(), self.before)]
        total = max(1, sum(spent))
        return (spent[3] + spent[4]) / total, spent[7] / total


class MemoryWatch(threading.Thread):
    """The most memory of a process and of its children, in MiB, looked at ten times a second: what is resident of each, and of all
    together, where pages that several of them share count once."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.program, self.over = name, threading.Event()
        self.parent = self.child = self.sum = self.together = 0
        self.most_children = 0

    @staticmethod
    def used(pid):
        """Resident, and in proportion to those who share it."""
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
                facts = dict(re.findall(r"^(Rss|Pss):\s*(\d+)", file.read(), re.MULTILINE))
            return int(facts["Rss"]) / 1024, int(facts["Pss"]) / 1024
        except (OSError, KeyError):
            return 0, 0

    def run(self):
        while not self.over.wait(0.1):
            for pid in children(os.getpid()):
                try:
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                        if file.read().strip() != self.program:
                            continue
                except OSError:
                    continue
                parent, others = self.used(pid), [self.used(child) for child in children(pid)]
                self.parent, self.child = max(self.parent, parent[0]), max([self.child, *(other[0] for other in others)])
                self.sum = max(self.sum, parent[0] + sum(other[0] for other in others))
                self.together = max(self.together, parent[1] + sum(other[1] for other in others))
                self.most_children = max(self.most_children, len(others))


class Run:
    """What one run of a tool took, and what the others took meanwhile, in seconds."""

    def __init__(self, count, sample, origin, server, processors):
        self.count, self.wall, self.cpu, self.origin, self.server = count, sample.wall, sample.cpu, origin, server
        self.idle, self.stolen = processors.shares()

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
        processors = Processors()
        sample = self.laboratory.run(command, **options)
        after = origin.cpu(), tree_cpu(self.server.process.pid)
        return Run(count, sample, after[0] - before[0], after[1] - before[1], processors)

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
                    print(f"   {which:10} {run.rate:7.1f} a second, {run.milliseconds:6.2f} ms of CPU each, {run.idle:.1%} of the processors idle",
                          flush=True)
        finally:
            seen = self.end(origin)
        pipeline, alone = kept["pipeline"], kept["alone"]
        return {
            "items": count, "bytes": work.bytes(), "seen": seen, "pixels": statistics.mean(w * h for _, w, h in self.media.pictures),
            "rates": [round(run.rate, 2) for run in pipeline], "alone_rates": [round(run.rate, 2) for run in alone],
            "cpu_ms": [round(run.milliseconds, 3) for run in pipeline], "alone_cpu_ms": [round(run.milliseconds, 3) for run in alone],
            "origin_ms": round(statistics.median(run.origin / run.count * 1000 for run in pipeline), 3),
            "server_ms": round(statistics.median(run.server / run.count * 1000 for run in pipeline), 3),
            # However fast the rest is: its host takes no more requests a second.
            "largest_host": max(work.per_host()), "largest_s": round(max(work.per_host()) / RATE, 2), "walls": [round(run.wall, 2) for run in pipeline],
            "idle": round(statistics.median(run.idle for run in pipeline), 4), "alone_idle": round(statistics.median(run.idle for run in alone), 4),
            "stolen": round(statistics.median(run.stolen for run in pipeline), 4),
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
        processors, begin = Processors(), time.perf_counter()

        def work_off(index):
            for path in paths[index::workers]:
                decoders[index].ask(path, folder)
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(work_off, index) for index in range(workers)]:
                done.result()
        wall = time.perf_counter() - begin
        cpu = sum(sum(ticks(decoder.process.pid)) for decoder in decoders) - sum(before)
        run = Run(len(paths), measure.Sample(wall, cpu), 0, 0, processors)
        for decoder in decoders:
            decoder.end()
        return run

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
                print(f"   {watch.parent:.1f} MiB, a child {watch.child:.1f} MiB, together {watch.together:.1f} MiB, sum {watch.sum:.1f} MiB", flush=True)
        finally:
            seen = self.end(origin)
        return {
            "items": len(work.items), "in_flight": 256, "seen": seen,
            "parent_mib": round(max(watch.parent for watch in watches), 1), "child_mib": round(max(watch.child for watch in watches), 1),
            "children": max(watch.most_children for watch in watches),
            "sum_mib": round(max(watch.sum for watch in watches), 1), "together_mib": round(max(watch.together for watch in watches), 1),
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
