"""mediasync restore beside psql --single-transaction and pg_restore, on a PostgreSQL server of its own with its defaults."""
import os
import pwd
import shutil
import statistics
import subprocess
import threading
import time

import measure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, "Tests", "Fixtures")
GOALS = {
    "psql --single-transaction": 1.25,
    "pg_restore -j2": 1.0,
}


class Server:
    """A throw-away cluster: defaults, fsync on, reached by a socket in its own directory, ended by its own pid."""

    def __init__(self, parent):
        versions = sorted((int(name) for name in os.listdir("/usr/lib/postgresql")), reverse=True)
        self.programs = f"/usr/lib/postgresql/{versions[0]}/bin"
        self.root = os.path.join(parent, "server")
        os.mkdir(self.root)
        # The server does not run as root.
        self.become = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.root, user.pw_uid, user.pw_gid)
            os.chmod(parent, 0o755)
            self.become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        self.data = os.path.join(self.root, "data")
        self.check([*self.become, f"{self.programs}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                    "--locale=C"])
        self.environment = {"PGHOST": self.root, "PGPORT": "5432", "PGUSER": "mastodon"}
        log = open(os.path.join(self.root, "log"), "wb")
        self.process = subprocess.Popen(
            [*self.become, f"{self.programs}/postgres", "-D", self.data, "-c", "listen_addresses=", "-k", self.root],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait()
            self.sql("CREATE ROLE mastodon LOGIN CREATEDB", user="postgres")
        except BaseException:
            self.stop()
            raise

    def wait(self):
        for _ in range(300):
            if subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", self.root], check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise measure.Failed("the server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    @staticmethod
    def check(command, **options):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                              **options)
        if done.returncode != 0:
            raise measure.Failed(f"{command[-1]}: {done.stderr.decode(errors='replace')[-500:]}")
        return done.stdout.decode()

    def command(self, name, *arguments):
        return [f"{self.programs}/{name}", *arguments]

    def client(self, name, *arguments, user="mastodon"):
        return self.check(self.command(name, *arguments), env={**os.environ, **self.environment, "PGUSER": user})

    def sql(self, statement, database="postgres", user="mastodon"):
        return self.client("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement, user=user).strip()

    def fill(self, database, accounts, statuses):
        self.sql(f"CREATE DATABASE {database} TEMPLATE template0")
        schema = os.path.join(self.root, "schema.sql")
        with open(schema, "wb") as out:
            subprocess.run(["gzip", "-dc", os.path.join(FIXTURES, "mastodon-4.5.sql.gz")], stdout=out, check=True)
        self.client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", database, "-f", schema)
        self.client("psql", "-X", "-q", "-o", os.devnull, "-d", database, "-v", f"accounts={accounts}", "-v",
                    f"statuses={statuses}", "-f", os.path.join(FIXTURES, "mastodon-rows.sql"))

    def drop_others(self, keep):
        names = self.sql("SELECT datname FROM pg_database WHERE datname LIKE 'into%'").split()
        for name in names:
            self.sql(f'DROP DATABASE "{name}" WITH (FORCE)', user="postgres")
        # Every run begins with nothing to write back.
        self.sql("CHECKPOINT", user="postgres")
        assert keep not in names

    def rows(self, database):
        return self.sql("SELECT (SELECT count(*) FROM statuses) + (SELECT count(*) FROM accounts) + "
                        "(SELECT count(*) FROM media_attachments) + (SELECT count(*) FROM favourites) + "
                        "(SELECT count(*) FROM follows)", database)


class Activity(threading.Thread):
    """Looks twice a second how many sessions of a restore are at work: the share of time in which all are."""

    def __init__(self, server, jobs):
        super().__init__(daemon=True)
        self.server, self.jobs, self.samples, self.over = server, jobs, [], threading.Event()

    def run(self):
        query = ("SELECT count(*) FILTER (WHERE state = 'active'), bool_or(query ~ '^(COPY|CREATE .*INDEX)') FROM pg_stat_activity "
                 "WHERE application_name = 'mediasync restore' AND datname LIKE '%stage%'")
        while not self.over.wait(0.5):
            try:
                active, busy = self.server.sql(query, user="postgres").split("|")
            except (measure.Failed, ValueError):
                continue
            self.samples.append((int(active), busy == "t"))

    def share(self):
        """Of the samples up to the last one in which rows or indexes were being made."""
        last = max((number for number, sample in enumerate(self.samples) if sample[1]), default=-1)
        first = next((number for number, sample in enumerate(self.samples) if sample[1]), 0)
        chosen = self.samples[first:last + 1]
        return sum(1 for active, _ in chosen if active >= self.jobs) / len(chosen) if chosen else 0.0


def run(laboratory, quick):
    """Returns the result as a dictionary of plain values."""
    if shutil.which("setpriv") is None and os.geteuid() == 0:
        raise measure.Unfit("needs setpriv")
    laboratory.need_space(1 if quick else 8)
    accounts, statuses = (500, 5_000) if quick else (50_000, 760_000)
    jobs = 2
    server = Server(laboratory.root)
    try:
        server.fill("origin", accounts, statuses)
        rows = server.rows("origin")
        plain, custom = os.path.join(laboratory.root, "plain.sql"), os.path.join(laboratory.root, "custom.dump")
        server.client("pg_dump", "-f", plain, "origin", user="postgres")
        server.client("pg_dump", "-Fc", "-Z1", "-f", custom, "origin", user="postgres")
        print(f"   {int(rows):,} rows, {os.path.getsize(plain) / 2**20:.0f} MiB of text", flush=True)
        tools = {
            "mediasync restore": ([laboratory.binary, "restore", "--yes", "--into", "into", "--jobs", str(jobs), "--env-file",
                                   os.devnull, plain], False),
            "psql --single-transaction": (server.command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull,
                                                         "--single-transaction", "-d", "into", "-f", plain), True),
            "pg_restore -j2": (server.command("pg_restore", "-j2", "--no-owner", "--no-privileges", "--exit-on-error", "-d",
                                              "into", custom), True),
        }
        if quick:
            tools["mediasync restore (custom)"] = ([*tools["mediasync restore"][0][:-1], custom], False)
        times, peaks, shares = {name: [] for name in tools}, [], []
        for number in range(laboratory.rounds):
            order = list(tools) if number % 2 == 0 else list(reversed(tools))
            for name in order:
                command, needs_database = tools[name]
                server.drop_others("origin")
                if needs_database:
                    server.sql("CREATE DATABASE \"into\" TEMPLATE template0")
                watch = Activity(server, jobs) if name == "mediasync restore" else None
                if watch:
                    watch.start()
                peak = os.path.join(laboratory.root, "peak")
                timed = ["/usr/bin/time", "-f", "%M", "-o", peak, *command] if os.path.exists("/usr/bin/time") else command
                sample = laboratory.run(timed, environment=server.environment)
                if watch:
                    watch.over.set()
                    watch.join()
                    shares.append(watch.share())
                    if os.path.exists(peak):
                        with open(peak, encoding="ascii") as file:
                            peaks.append(int(file.read().split()[-1]) / 1024)
                if server.rows("into") != rows:
                    raise measure.Failed(f"{name} did not restore all rows")
                times[name].append(sample.wall)
                print(f"   {name:28} {sample.wall:7.2f} s", flush=True)
        inspection = []
        for _ in range(laboratory.rounds):
            sample = laboratory.run([laboratory.binary, "restore", "-n", "--env-file", os.devnull, plain], environment=server.environment)
            inspection.append(sample)
        megabytes = os.path.getsize(plain) / 1e6
        ours = times["mediasync restore"]
        return {
            "rows": int(rows), "text_bytes": os.path.getsize(plain), "jobs": jobs,
            "seconds": {name: [round(value, 3) for value in values] for name, values in times.items()},
            "faster_than": {name: measure.ratios(values, ours) for name, values in times.items() if name != "mediasync restore"},
            "goals": GOALS,
            "inspection_mb_per_s": round(statistics.median(megabytes / sample.wall for sample in inspection), 1),
            "inspection_mb_per_cpu_s": round(statistics.median(megabytes / sample.cpu for sample in inspection), 1),
            "all_busy_share": [round(share, 3) for share in shares],
            "peak_mib": round(max(peaks), 1) if peaks else None,
        }
    finally:
        server.stop()


def text(result):
    lines = [f"   {name}: mediasync is {ratio['median']:.2f} times as fast ({ratio['min']:.2f} to {ratio['max']:.2f})"
             for name, ratio in result["faster_than"].items()]
    lines.append(f"   inspection {result['inspection_mb_per_s']} MB/s, {result['inspection_mb_per_cpu_s']} MB per second of CPU; "
                 f"all connections busy {statistics.median(result['all_busy_share'] or [0]):.0%} of the time to the last index; "
                 f"peak {result['peak_mib']} MiB")
    return "\n".join(lines)
