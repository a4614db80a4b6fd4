"""The copy workloads: what is made ready, what runs, and which ratio is the goal."""
import os
import re
import shutil
import subprocess
import sys

from measure import Failed, Unfit, ratios

QUICK_DIVISOR = 20
OURS = "mediasync"


class Tool:
    """A competitor: `command` makes the argument list from (laboratory, source, target)."""

    def __init__(self, name, command, needs=None, compared=True, environment=None):
        self.name, self.command, self.needs, self.compared = name, command, needs, compared
        self.environment = environment or (lambda laboratory: {})


def mediasync(*flags, name=OURS, verb="copy"):
    return Tool(name, lambda lab, source, target: [lab.binary, verb, source, target, *flags])


def cp(*flags, name="cp -a"):
    # "/." so that, like the others, it merges contents where the target exists.
    return Tool(name, lambda lab, source, target: ["cp", *(flags or ("-a",)), source + "/.", target], needs="cp")


def rsync(*flags):
    return Tool("rsync " + " ".join(flags), lambda lab, source, target: ["rsync", *flags, source + "/", target + "/"], needs="rsync")


def rclone(verb="copy"):
    # Plain rclone keeps neither owners nor modes: it does less than the others do.
    return Tool(f"rclone {verb}", needs="rclone", command=lambda lab, source, target: [
        "rclone", verb, "--config", "", "--links", "--transfers", "16", "--checkers", "16", "-q", source, target])


def raw(threads):
    def command(lab, source, target):
        return [lab.compiled("raw-copy.c", "-pthread"), lab.raw_list(source), source, target, str(threads)]
    return Tool(f"bare system calls in C, {threads} threads", command, needs="cc")


def raw_compare(threads):
    return Tool(f"bare system calls in C, {threads} threads", needs="cc", command=lambda lab, source, target: [
        lab.compiled("raw-compare.c", "-pthread", "-lxxhash"), source, target, str(threads)])


class Goal:
    """Our median of something must be at most `limit` times another tool's."""

    def __init__(self, against, limit, ours=OURS):
        self.against, self.limit, self.ours = against, limit, ours

    def __str__(self):
        return f"{self.ours} <= {self.limit:.2f} of {self.against}"


class Workload:
    """What all workloads share: a name, a tree, tools and goals."""

    def __init__(self, name, title, tools=(), goals=(), files=10_000, size="300M", profile="mastodon"):
        self.name, self.title, self.tools, self.goals = name, title, list(tools), list(goals)
        self.files, self.size, self.profile = files, size, profile

    def targets(self):
        return [str(goal) for goal in self.goals]

    def source(self, lab):
        files, size = self.files, self.size
        if lab.quick:
            # A count that matters is divided; a few big files become a few small ones.
            files = max(files // QUICK_DIVISOR, 20)
            size = f"{int(size[:-1]) * (1024 if size[-1] == 'G' else 1) // QUICK_DIVISOR}M" if size != "0" else "0"
        options = {"files": files, "seed": 1, "profile": self.profile}
        if size != "0":
            options["bytes"] = size
        return lab.tree(f"{self.profile}-{files}-{size}", **options)

    def present(self):
        """The tools that this machine has."""
        return [tool for tool in self.tools if not tool.needs or shutil.which(tool.needs)]

    def result(self, facts, samples, verified=None, notes=(), load=None):
        """The record of a workload that was timed."""
        rows = [{"tool": name, "wall": [round(one.wall, 4) for one in runs], "cpu": [round(one.cpu, 4) for one in runs]}
                for name, runs in samples.items()]
        comparisons = []
        ours_names = [tool.name for tool in self.tools if tool.name.startswith(OURS) and tool.name in samples]
        for ours in ours_names:
            for tool in self.tools:
                if tool.name not in samples or tool.name.startswith(OURS):
                    continue
                goal = next((goal for goal in self.goals if goal.against == tool.name and goal.ours == ours), None)
                wall = ratios([one.wall for one in samples[ours]], [one.wall for one in samples[tool.name]])
                cpu = ratios([one.cpu for one in samples[ours]], [one.cpu for one in samples[tool.name]])
                comparisons.append({
                    "ours": ours, "against": tool.name, "wall": rounded(wall), "cpu": rounded(cpu),
                    "limit": goal.limit if goal else None,
                    "reached": wall["median"] <= goal.limit if goal else None})
        return {"workload": self.name, "title": self.title, "tree": facts, "rounds": max(map(len, samples.values())),
                "runs": rows, "comparisons": comparisons, "verified": verified, "notes": list(notes), "load": load}


def rounded(numbers):
    return {key: round(value, 4) for key, value in numbers.items()}


class FirstCopy(Workload):
    """Each tool copies the tree to a name that never existed. Warm source; what earlier runs left is written out first."""

    def __init__(self, *arguments, keep=True, gib=4.0, **options):
        super().__init__(*arguments, **options)
        self.keep, self.gib = keep, gib

    def run(self, lab):
        if not lab.quick:
            lab.need_space(self.gib if not self.keep else self.gib * lab.rounds * len(self.present()))
        source, facts = self.source(lab)
        tools, made, verdict, load = self.present(), [], {}, [os.getloadavg()[0]]
        for tool in tools:
            tool.command(lab, source, "unused")       # compiles and lists what it needs, before anything is timed

        def before(_):
            lab.warm(source, content=True)
            lab.settle()

        def one(tool, turn):
            target = lab.fresh(re.sub(r"\W+", "-", tool.name))
            made.append(target)
            sample = lab.run(tool.command(lab, source, target))
            if tool.name.startswith(OURS) and turn == 0:
                verdict[tool.name] = lab.same(source, target)
            if not self.keep:
                lab.remove(made.pop())
            return sample

        try:
            samples = lab.rounds_of(tools, before, one)
        finally:
            load.append(os.getloadavg()[0])
            for target in made:
                lab.remove(target)
        return self.result(facts, samples, verified=all(verdict.values()), load=load)


class Unchanged(Workload):
    """Source and target are equal; nothing is to be done. `state` is warm or cold; `latency_us` slows path calls down."""

    def __init__(self, *arguments, cold=False, latency_us=0, content=False, notes=(), **options):
        super().__init__(*arguments, **options)
        self.cold, self.latency_us, self.content, self.notes = cold, latency_us, content, notes

    def run(self, lab):
        source, facts = self.source(lab)
        key = "equal-" + os.path.basename(source)
        if key not in lab.trees:
            target = lab.fresh(key)
            lab.run(["rsync", "-a", source + "/", target + "/"])
            lab.trees[key] = (target, facts)
        target = lab.trees[key][0]
        if self.cold:
            lab.drop_caches()                         # says now, not after minutes, that it may not
        environment = {}
        if self.latency_us:
            environment = {"LD_PRELOAD": lab.compiled("latency.c", "-shared", "-fPIC", "-ldl"), "LATENCY_US": str(self.latency_us)}
        load = [os.getloadavg()[0]]

        def before(_):
            lab.settle()
            if self.cold:
                lab.drop_caches()
            else:
                lab.warm(source, target, content=self.content)

        samples = lab.rounds_of(self.present(), before, lambda tool, _: lab.run(tool.command(lab, source, target), environment))
        load.append(os.getloadavg()[0])
        return self.result(facts, samples, verified=lab.same(source, target), notes=self.notes, load=load)


class Changed(Workload):
    """One file in fifty changed in the source; each run updates a target of its own that holds the old state."""

    def run(self, lab):
        original, facts = self.source(lab)
        tools = self.present()
        if not lab.quick:
            lab.need_space(0.6 * (lab.rounds * len(tools) + 1))
        source = lab.fresh("changed")
        lab.run(["cp", "-a", original, source])
        changes = lab.change(source, 0.02, seed=2)
        targets = {(tool.name, turn): lab.fresh("old") for tool in tools for turn in range(lab.rounds)}
        for target in targets.values():
            lab.run(["cp", "-a", original, target])
        verdict, load = {}, [os.getloadavg()[0]]
        waiting = {tool.name: 0 for tool in tools}

        def before(tool):
            lab.warm(source, targets[tool.name, waiting[tool.name]], content=False)
            waiting[tool.name] += 1
            lab.settle()

        def one(tool, turn):
            target = targets[tool.name, turn]
            sample = lab.run(tool.command(lab, source, target))
            if tool.name.startswith(OURS) and turn == 0:
                verdict[tool.name] = lab.same(source, target)
            return sample

        try:
            samples = lab.rounds_of(tools, before, one)
        finally:
            load.append(os.getloadavg()[0])
            for target in [source, *targets.values()]:
                lab.remove(target)
        note = "changes: " + ", ".join(f"{count} {kind}" for kind, count in changes.items() if kind != "changed")
        return self.result(facts, samples, verified=all(verdict.values()), notes=[note], load=load)


class SystemCalls(Workload):
    """System calls for each entry of the tree, counted by strace: no quiet machine is needed."""

    LIMITS = {"first copy": 10.0, "nothing changed": 7.5}

    def targets(self):
        return [f"{what}, features off: <= {limit} calls an entry" for what, limit in self.LIMITS.items()]

    def run(self, lab):
        if not shutil.which("strace"):
            raise Unfit("strace is missing")
        source, facts = self.source(lab)
        entries = facts["files"] + facts["directories"]
        figures, verified = [], True
        plain = mediasync("--fsync", "none")
        bare = mediasync("--fsync", "none", "--no-xattrs", "--no-hard-links")
        for name, first, again in (
            (OURS, plain, plain),
            (f"{OURS} --no-xattrs --no-hard-links", bare, bare),
            (f"{OURS} (default: --fsync file)", mediasync(), mediasync()),
            ("rsync -a", rsync("-a"), rsync("-a")),
            ("cp -a", cp(), cp("-au")),
        ):
            target = lab.fresh("traced")
            for what, tool in (("first copy", first), ("nothing changed", again)):
                calls, top = self.count(lab, tool.command(lab, source, target))
                limit = self.LIMITS[what] if "--no-xattrs" in name else None
                each = calls / entries
                figures.append({"tool": name, "what": what, "value": round(each, 2), "unit": "calls an entry", "limit": limit,
                                "reached": each <= limit if limit else None, "detail": top})
            if name.startswith(OURS):
                verified = lab.same(source, target) and verified
            lab.remove(target)
        return {"workload": self.name, "title": self.title, "tree": facts, "figures": figures, "verified": verified,
                "notes": ["all of mediasync with --fsync none but where it says default", "start and end of the process included", "the second run of cp is cp -au"]}

    @staticmethod
    def count(lab, command):
        log = os.path.join(lab.root, "strace")
        lab.run(["strace", "-f", "-c", "-U", "calls,name", "-o", log, *command])
        counts = {}
        with open(log, encoding="utf-8") as file:
            for line in file:
                fields = line.split()
                if len(fields) == 2 and fields[0].isdigit():
                    counts[fields[1]] = counts.get(fields[1], 0) + int(fields[0])
        total = counts.pop("total", None) or sum(counts.values())
        top = sorted(counts.items(), key=lambda item: -item[1])[:8]
        return total, ", ".join(f"{name} {count}" for name, count in top)


class Memory(Workload):
    """The largest resident size of any process of a tool, by GNU time, at a million files."""

    LIMIT = 40.0

    def targets(self):
        return [f"<= {self.LIMIT:.0f} MB"]

    def run(self, lab):
        if not os.access("/usr/bin/time", os.X_OK):
            raise Unfit("GNU time is missing")
        if not lab.quick:
            lab.need_space(4)
        source, facts = self.source(lab)
        target = lab.fresh("memory")
        figures = []
        for name, what, tool in (
            (OURS, "first copy", mediasync("--fsync", "none")),
            (OURS, "nothing changed", mediasync("--fsync", "none")),
            (OURS, "nothing changed, --delete", mediasync("--fsync", "none", "--delete")),
            (OURS, "verify", mediasync(verb="verify")),
            ("rsync -a", "nothing changed", rsync("-a")),
            ("rsync -a --delete", "nothing changed", rsync("-a", "--delete")),
        ):
            report = os.path.join(lab.root, "time")
            lab.run(["/usr/bin/time", "-f", "%M", "-o", report, *tool.command(lab, source, target)])
            with open(report, encoding="ascii") as file:
                megabytes = int(file.read().split()[-1]) / 1024
            ours = name == OURS
            figures.append({"tool": name, "what": what, "value": round(megabytes, 1), "unit": "MB",
                            "limit": self.LIMIT if ours else None, "reached": megabytes <= self.LIMIT if ours else None})
        verified = lab.same(source, target)
        lab.remove(target)
        lab.forget(os.path.basename(source).removeprefix("tree-"))
        return {"workload": self.name, "title": self.title, "tree": facts, "figures": figures, "verified": verified, "notes": []}


def first_copies(fsync_none_goals):
    """The tools of a first copy without fsync, which none of the others does by default."""
    return {"tools": [mediasync("--fsync", "none"), cp(), rsync("-a"), rsync("-aW"), rclone(), raw(2)], "goals": fsync_none_goals}


SMALL_GOALS = [Goal("cp -a", 0.50), Goal("rsync -a", 0.40), Goal("rclone copy", 0.50)]
LATE = [mediasync(), mediasync("--jobs", "32", name="mediasync --jobs 32"), rsync("-a")]
DURABLE_TOOLS = [mediasync(), cp(), rsync("-a", "--fsync")]

WORKLOADS = [
    FirstCopy("small-10k", "first copy, 10,000 small files, --fsync none", **first_copies(SMALL_GOALS), gib=0.6),
    FirstCopy("small-50k", "first copy, 50,000 small files, --fsync none", **first_copies(SMALL_GOALS),
              files=50_000, size="600M", gib=1.6),
    FirstCopy("durable", "first copy, 10,000 small files, each flushed before it gets its name (the default)",
              tools=DURABLE_TOOLS, goals=[Goal("cp -a", 0.80), Goal("rsync -a --fsync", 0.20)], gib=0.6),
    FirstCopy("large", "first copy, 20 big files, --fsync none", files=20, size="2G", profile="videos", keep=False, gib=5.0,
              tools=[mediasync("--fsync", "none"), mediasync(name="mediasync (default: --fsync file)"), cp(), rsync("-a"), rclone()],
              goals=[Goal("cp -a", 0.90)]),
    Unchanged("noop-warm", "nothing changed, warm cache", tools=[mediasync(), rsync("-a"), rclone()], goals=[Goal("rsync -a", 0.20)]),
    Unchanged("noop-cold", "nothing changed, cold cache", cold=True, tools=[mediasync(), rsync("-a")], goals=[Goal("rsync -a", 0.16)]),
    Unchanged("noop-latency", "nothing changed, 1 ms added to each system call with a path", latency_us=1000, files=300, size="9M",
              tools=LATE, goals=[Goal("rsync -a", 0.01)]),
    Unchanged("noop-delete", "nothing changed, with --delete", tools=[mediasync("--delete"), rsync("-a", "--delete")],
              goals=[Goal("rsync -a --delete", 0.20)]),
    Changed("changed-delete", "one file in fifty changed, with --delete",
            tools=[mediasync("--delete", "--fsync", "none"), mediasync("--delete", name="mediasync (default: --fsync file)"),
                   rsync("-a", "--delete")],
            goals=[Goal("rsync -a --delete", 0.25)]),
    Unchanged("checksum-small", "equal trees compared by content, small files", content=True,
              tools=[mediasync("--checksum"), rsync("-ac"), raw_compare(2)], goals=[Goal("rsync -ac", 0.25)]),
    Unchanged("checksum-big", "equal trees compared by content, big files", content=True, files=20, size="2G", profile="videos",
              tools=[mediasync("--checksum"), rsync("-ac")], goals=[Goal("rsync -ac", 0.50)]),
    Unchanged("verify-small", "verify of equal trees, small files", content=True,
              tools=[mediasync(verb="verify"), rsync("-acn"), raw_compare(2)], goals=[Goal("rsync -acn", 0.25)]),
    Unchanged("verify-big", "verify of equal trees, big files", content=True, files=20, size="2G", profile="videos",
              tools=[mediasync(verb="verify"), rsync("-acn")], goals=[Goal("rsync -acn", 0.50)]),
    SystemCalls("syscalls", "system calls for each entry", files=2000, size="20M"),
    Memory("memory-tree", "memory, a million files in a thousand directories", files=1_000_000, size="0", profile="small"),
    Memory("memory-flat", "memory, a million files in one directory", files=1_000_000, size="0", profile="flat"),
]

GROUPS = {"small": "small-", "noop": "noop-", "checksum": "checksum-", "verify": "verify-", "memory": "memory-"}


def select(names):
    """The workloads of these names; a group name (noop, small, ...) stands for all of its own."""
    if not names:
        return WORKLOADS
    chosen = []
    for name in names:
        prefix = GROUPS.get(name)
        found = [one for one in WORKLOADS if one.name == name or prefix and one.name.startswith(prefix)]
        if not found:
            sys.exit(f"bench: no workload {name}; there are: {' '.join(one.name for one in WORKLOADS)}")
        chosen += [one for one in found if one not in chosen]
    return chosen
