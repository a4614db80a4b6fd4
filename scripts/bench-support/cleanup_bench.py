"""mediasync cleanup and verify --store beside the bare system calls and beside one row after the other, on a PostgreSQL server
of its own with its defaults."""
import hashlib
import os
import shutil
import statistics
import subprocess

import measure
from restore_bench import Server

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
THREADS = 8                 # what mediasync takes on up to four processors
BASELINE_THREADS = 5        # tootctl's own default
GOALS = {
    "scan_rows_per_s": 300_000,     # at least
    "times_row_by_row": 20,         # at least
    "share_of_unlink": 0.7,         # at least, files a second
    "times_stat": 1.2,              # at most
    "peak_mib": 128,                # at most
}
FIRST_MOMENT = 1_690_000_000_000    # milliseconds: the oldest attachment
STEP = 25_920                       # milliseconds between two: 100,000 in thirty days


def number(index):
    """The snowflake of an attachment: its moment, and sixteen bits that look random."""
    return ((FIRST_MOMENT + index * STEP) << 16) + (index * 7919) % 65536


def paths(index):
    digits = str(number(index))
    folder = "cache/media_attachments/files/" + "/".join(digits[at:at + 3] for at in range(0, 18, 3))
    name = hashlib.md5(str(index).encode()).hexdigest()[:16] + ".jpg"
    return [f"{folder}/original/{name}", f"{folder}/small/{name}"]


class Database(Server):
    """A Mastodon 4.6 database whose first attachments are old and remote and have files; the others are young."""

    def make(self, database):
        """A database without rows."""
        self.sql(f"CREATE DATABASE {database} TEMPLATE template0")
        schema = os.path.join(self.root, "schema.sql")
        with open(schema, "wb") as out:
            subprocess.run(["gzip", "-dc", os.path.join(ROOT, "Tests", "Fixtures", "mastodon-4.6.sql.gz")], stdout=out, check=True)
        self.client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", database, "-f", schema)

    def fill_media(self, database, rows, old):
        self.make(database)
        self.sql(f"""
            INSERT INTO accounts (id, username, domain, created_at, updated_at) VALUES (1, 'far', 'far.example', now(), now());
            INSERT INTO media_attachments (id, account_id, remote_url, file_file_name, file_content_type, file_file_size,
                file_updated_at, file_storage_schema_version, file_meta, blurhash, type, created_at, updated_at)
            SELECT (({FIRST_MOMENT} + n * {STEP}) << 16) + n * 7919 % 65536, 1, 'https://far.example/media/' || n || '/original.jpg',
                left(md5(n::text), 16) || '.jpg', 'image/jpeg', 100, now(), 1,
                '{{"original":{{"width":1200,"height":800,"size":"1200x800","aspect":1.5}}}}', 'LEHV6nWB2yk8pyo0adR*.7kCMdnj', 0,
                CASE WHEN n < {old} THEN timestamp '2023-08-01' ELSE now() END, now()
            FROM generate_series(0::bigint, {rows} - 1) n""", database)
        self.sql("VACUUM ANALYZE", database, user="postgres")

    def copy(self, origin, name):
        self.sql(f"CREATE DATABASE {name} TEMPLATE {origin} STRATEGY file_copy", user="postgres")
        self.sql(f"ALTER DATABASE {name} OWNER TO mastodon", user="postgres")
        self.sql("CHECKPOINT", user="postgres")

    def drop(self, name):
        self.sql(f"DROP DATABASE {name} WITH (FORCE)", user="postgres")

    def stored(self, database):
        return int(self.sql("SELECT count(*) FROM media_attachments WHERE file_file_name <> ''", database))


class Bench:
    def __init__(self, laboratory, server, quick):
        self.laboratory, self.server = laboratory, server
        self.rows, self.old, self.sample = (20_000, 2_000, 500) if quick else (1_000_000, 100_000, 10_000)
        self.floor = laboratory.compiled("store-floor.c", "-pthread")
        include = subprocess.run(["pg_config", "--includedir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.row_by_row = laboratory.compiled("row-by-row.c", "-pthread", f"-I{include}", "-lpq")
        self.rows_and_stat = laboratory.compiled("rows-and-stat.c", "-pthread", f"-I{include}", "-lpq")
        self.peaks = []

    def list(self, count):
        """The paths of the oldest attachments, in their order."""
        place = os.path.join(self.laboratory.root, f"list-{count}")
        if not os.path.exists(place):
            with open(place, "w", encoding="ascii") as out:
                for index in range(count):
                    out.write("\n".join(paths(index)) + "\n")
        return place

    def tree(self, count):
        """A new tree, on the disk and in memory: everybody begins alike."""
        place = self.laboratory.fresh("media")
        subprocess.run([self.floor, "make", self.list(count), place, "4"], check=True)
        self.laboratory.settle()
        self.laboratory.warm(place, content=False)
        return place

    def run_floor(self, mode, count, tree):
        self.laboratory.settle()
        return self.laboratory.run([self.floor, mode, self.list(count), tree, str(THREADS)])

    def mediasync(self, database, *arguments):
        """A run of the binary, its time, and its memory."""
        peak = os.path.join(self.laboratory.root, "peak")
        command = ["/usr/bin/time", "-f", "%M", "-o", peak, self.laboratory.binary, *arguments, "--env-file", os.devnull]
        sample = self.laboratory.run(command, environment={**self.server.environment, "DB_NAME": database})
        with open(peak, encoding="ascii") as file:
            self.peaks.append(int(file.read().split()[-1]) / 1024)
        return sample

    def scan(self):
        package = os.path.join(ROOT, "Benchmarks")
        build = ["swift", "build", "-c", "release", "--package-path", package, "--product", "CatalogScan"]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        folder = subprocess.run([*build, "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        environment = {**self.laboratory.environment, **self.server.environment, "PGDATABASE": "origin"}
        rates = []
        for _ in range(self.laboratory.rounds):
            done = subprocess.run([os.path.join(folder, "CatalogScan")], check=True, stdout=subprocess.PIPE, text=True, env=environment)
            rows, seconds, files = done.stdout.split()
            if int(rows) != self.rows or int(files) != 2 * self.rows:
                raise measure.Failed(f"the scan saw {rows} rows and {files} files")
            rates.append(int(rows) / float(seconds))
        print(f"   scan: {statistics.median(rates):,.0f} rows a second", flush=True)
        return {"scan_rows_per_s": [round(each) for each in rates]}

    def verify(self):
        """Warm, then cold: each beside a parallel stat of the same paths, and beside a program that reads the rows as well."""
        count = 2 * self.old
        tree = self.tree(count)
        self.server.copy("origin", "small")
        self.server.sql(f"DELETE FROM media_attachments WHERE id >= {number(count)}", "small")
        self.server.sql("VACUUM FULL ANALYZE media_attachments", "small")
        seconds = {who: {"warm": [], "cold": []} for who in ("ours", "stat", "rows and stat")}
        command = ["verify", "--store", "--only", "attachments", "--media-root", tree]
        # The first turn in memory is for programs, caches and what a first run makes; it does not count.
        turns = [("warm", turn) for turn in range(self.laboratory.rounds + 1)] + [("cold", turn) for turn in range(self.laboratory.rounds)]
        for state, turn in turns:
            order = list(seconds)
            for who in order if turn % 2 == 0 else reversed(order):
                if state == "cold":
                    try:
                        self.laboratory.drop_caches()
                    except measure.Unfit:
                        continue
                    # The server's pages are not what is measured.
                    self.server.sql("SELECT count(file_meta::text) FROM media_attachments", "small")
                    self.server.sql("SELECT 1", "small")
                if who == "ours":
                    sample = self.mediasync("small", *command)
                elif who == "stat":
                    sample = self.run_floor("stat", count, tree)
                else:
                    self.laboratory.settle()
                    environment = {**self.server.environment, "PGDATABASE": "small"}
                    sample = self.laboratory.run([self.rows_and_stat, tree, str(THREADS)], environment=environment)
                if state == "cold" or turn > 0:
                    seconds[who][state].append(sample.wall)
        self.server.drop("small")
        self.laboratory.discard(tree)
        ours = seconds["ours"]
        times = {
            who: {state: measure.ratios(ours[state], seconds[who][state]) for state in ours if ours[state]}
            for who in ("stat", "rows and stat")
        }
        for state, ratio in times["stat"].items():
            print(f"   verify --store, {state}: {ratio['median']:.2f} of stat ({statistics.median(ours[state]):.2f} s), "
                  f"{times['rows and stat'][state]['median']:.2f} of rows and stat", flush=True)
        kept = {who: {state: [round(each, 3) for each in values] for state, values in of.items()} for who, of in seconds.items()}
        return {
            "verify_rows": count,
            "verify_seconds": kept["ours"],
            "stat_seconds": kept["stat"],
            "rows_and_stat_seconds": kept["rows and stat"],
            "times_stat": times["stat"],
            "times_rows_and_stat": times["rows and stat"],
        }

    def cleanup(self):
        """mediasync, unlink alone, and unlink with the emptied directories, each on a tree and a database of its own."""
        seconds = {"mediasync cleanup": [], "unlink": [], "unlink and rmdir": []}
        rounds = min(self.laboratory.rounds, 3)
        for turn in range(rounds):
            order = list(seconds) if turn % 2 == 0 else list(reversed(seconds))
            for name in order:
                tree = self.tree(self.old)
                if name == "mediasync cleanup":
                    self.server.copy("origin", "live")
                    self.laboratory.settle()
                    sample = self.mediasync("live", "cleanup", "--days", "30", "--only", "attachments", "--max-delete", "100%",
                                            "--media-root", tree)
                    if self.server.stored("live") != self.rows - self.old:
                        raise measure.Failed("cleanup left rows")
                    left = [name for name in os.listdir(tree) if name != ".mediasync-run"]
                    if left:
                        raise measure.Failed(f"cleanup left {left}")
                    self.server.drop("live")
                else:
                    sample = self.run_floor("unlink" if name == "unlink" else "prune", self.old, tree)
                seconds[name].append(sample.wall)
                print(f"   {name:20} {sample.wall:7.2f} s", flush=True)
                self.laboratory.discard(tree)
        ours = seconds["mediasync cleanup"]
        return {
            "cleanup_seconds": {name: [round(each, 3) for each in values] for name, values in seconds.items()},
            "cleanup_rows_per_s": round(self.old / statistics.median(ours)),
            "share_of_unlink": measure.ratios(seconds["unlink"], ours),
            "share_of_unlink_and_rmdir": measure.ratios(seconds["unlink and rmdir"], ours),
        }

    def baseline(self):
        """Rows a second of one row after the other; on a part of the rows, since it is that slow."""
        rates = []
        for _ in range(min(self.laboratory.rounds, 3)):
            tree = self.tree(self.sample)
            self.server.copy("origin", "live")
            self.laboratory.settle()
            sample = self.laboratory.run([self.row_by_row, tree, str(self.sample), str(BASELINE_THREADS)],
                                         environment={**self.server.environment, "PGDATABASE": "live"})
            if self.server.stored("live") != self.rows - self.sample or os.listdir(tree):
                raise measure.Failed("one row after the other left rows or files")
            self.server.drop("live")
            rates.append(self.sample / sample.wall)
            print(f"   row by row: {rates[-1]:,.0f} rows a second", flush=True)
            self.laboratory.discard(tree)
        return {"baseline_rows_per_s": [round(each) for each in rates]}


PARTS = ("scan", "verify", "cleanup", "baseline")


def run(laboratory, quick, parts, keep):
    """Measures the parts, each saved by `keep` as soon as it is there, as a dictionary of plain values."""
    for program in ("pg_config", "/usr/bin/time", "setpriv"):
        if shutil.which(program) is None:
            raise measure.Unfit(f"needs {program}")
    laboratory.need_space(1 if quick else 12)
    server = Database(laboratory.root)
    try:
        bench = Bench(laboratory, server, quick)
        server.fill_media("origin", bench.rows, bench.old)
        print(f"   {bench.rows:,} rows, {2 * bench.old:,} files", flush=True)
        for part in parts:
            bench.peaks = []
            measured = getattr(bench, part)()
            if bench.peaks:
                measured["peak_mib"] = round(max(bench.peaks), 1)
            keep({
                "workload": part, "rows": bench.rows, "old_rows": bench.old, "files": 2 * bench.old, "threads": THREADS,
                "baseline_threads": BASELINE_THREADS, "baseline_rows": bench.sample, **measured,
            })
    finally:
        server.stop()


def figures(parts):
    """What was measured, the figure, and the target with its verdict: rows of a table. Parts that were not run are left out."""
    def judged(figure, limit, least=True):
        reached = figure >= limit if least else figure <= limit
        return f"{'reached' if reached else '**missed**'} ({'>=' if least else '<='} {limit:,g})"

    def spread(ratio):
        return f"{ratio['median']:.2f} ({ratio['min']:.2f}..{ratio['max']:.2f})"
    rows = []
    if "scan" in parts:
        scan = statistics.median(parts["scan"]["scan_rows_per_s"])
        rows.append(("catalogue scan, rows a second", f"{scan:,.0f}", judged(scan, GOALS["scan_rows_per_s"])))
    if "cleanup" in parts:
        part = parts["cleanup"]
        rows += [
            ("cleanup, rows a second", f"{part['cleanup_rows_per_s']:,}", ""),
            ("cleanup, files a second to unlink alone", spread(part["share_of_unlink"]),
             judged(part["share_of_unlink"]["median"], GOALS["share_of_unlink"])),
            ("cleanup, files a second to unlink and rmdir", spread(part["share_of_unlink_and_rmdir"]), ""),
        ]
    if "cleanup" in parts and "baseline" in parts:
        times = parts["cleanup"]["cleanup_rows_per_s"] / statistics.median(parts["baseline"]["baseline_rows_per_s"])
        rows.append(("cleanup, times one row after the other", f"{times:.1f}", judged(times, GOALS["times_row_by_row"])))
    for state, ratio in parts.get("verify", {}).get("times_stat", {}).items():
        rows.append((f"verify --store, time to a parallel stat, {state}", spread(ratio),
                     judged(ratio["median"], GOALS["times_stat"], least=False)))
    for state, ratio in parts.get("verify", {}).get("times_rows_and_stat", {}).items():
        rows.append((f"verify --store, time to rows and a parallel stat, {state}", spread(ratio), ""))
    peaks = [part["peak_mib"] for part in parts.values() if "peak_mib" in part]
    if peaks:
        rows.append(("memory of mediasync, largest", f"{max(peaks):g} MiB", judged(max(peaks), GOALS["peak_mib"], least=False)))
    return rows


def text(parts):
    return "\n".join(f"   {what:46} {figure:>20}  {verdict}" for what, figure, verdict in figures(parts))


def remarks(result):
    return (f"{result['rows']:,} rows of media_attachments with a file name, {result['old_rows']:,} of them old and remote, with two files "
            f"each: {result['files']:,} files below {result['threads']} threads; PostgreSQL 15 or later with its defaults, fsync on. *One row after the other* is "
            f"a stand-in for tootctl, in C: SELECT, unlink, rmdir, UPDATE and COMMIT for each row by {result['baseline_threads']} threads with a "
            f"connection each, on {result['baseline_rows']:,} rows. *Unlink alone* leaves the emptied directories, of which a row has five; mediasync removes "
            "them. Each begins with a new tree that is in memory. *stat* is the same list of paths by as many threads, known beforehand; *rows and stat* is a program in C that reads the same rows of the server first. Checked: rows and files are gone, or all there.")
