"""A tree of which two files in a hundred changed, brought up to date on another machine: edits in place, appends, inserts at the
front, and renames, of small files and of large ones. Time, and bytes on the line, beside rsync -a --delete through the same sshd;
the bytes are counted between ssh and its server."""
import os
import random
import shutil
import statistics
import subprocess

import measure
from relay import Relay

GOALS = {"bytes": 1.0, "seconds": 0.7}      # of rsync's, at most
LARGE_MIB = 16


def files_of(tree):
    found = []
    for folder, folders, names in os.walk(tree):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(names)]
    return found


def change(path, how, noise):
    """One file changes as programs change files; its time changes with it."""
    size = os.path.getsize(path)
    if how == "edit":
        with open(path, "r+b") as file:
            for _ in range(max(1, size >> 22)):
                file.seek(noise.randrange(size))
                file.write(noise.randbytes(100))
    elif how == "append":
        with open(path, "ab") as file:
            file.write(noise.randbytes(max(1, size // 50)))
    elif how == "insert":
        with open(path, "rb") as file:
            old = file.read()
        with open(path, "wb") as file:
            file.write(noise.randbytes(100) + old)
    else:
        folder = os.path.join(os.path.dirname(path), f"moved-{noise.randrange(10)}")
        os.makedirs(folder, exist_ok=True)
        os.rename(path, os.path.join(folder, f"renamed-{os.path.basename(path)}"))


def make(laboratory, quick):
    """The tree as it was, and as it is now."""
    count, large = (400, 2) if quick else (10_000, 16)
    old, facts = laboratory.tree("changed", files=count, bytes=str(count * 40_000), seed=11)
    noise = random.Random(11)
    os.makedirs(os.path.join(old, "large"))
    for number in range(large):
        with open(os.path.join(old, "large", f"video-{number:02}.mp4"), "wb") as file:
            for _ in range(LARGE_MIB):
                file.write(noise.randbytes(1 << 20))
    new = laboratory.fresh("source")
    subprocess.run(["cp", "-a", "--", old, new], check=True)
    files = files_of(new)
    videos = [path for path in files if os.path.basename(path).startswith("video-")]
    others = [path for path in files if path not in set(videos) and os.path.getsize(path) > 0]
    ways = ("edit", "append", "insert", "rename")
    chosen = noise.sample(others, max(4, len(files) // 50 - len(videos) // 2)) + videos[:len(videos) // 2]
    for number, path in enumerate(chosen):
        change(path, ways[number % 4], noise)
    return old, new, dict(facts, changed=len(chosen), large=large)


def run(laboratory, quick, server):
    old, new, facts = make(laboratory, quick)
    latencies = {}
    for milliseconds in (0, 50):
        counter = Relay(laboratory, server.port, milliseconds)
        shell = server.shell(counter.port)
        commands = {
            "mediasync": lambda target: [laboratory.binary, "copy", "-q", "--delete", "--detect-renames", "--fsync", "none", "--rsh", shell,
                                         "--remote-path", laboratory.binary, f"127.0.0.1:{new}", target],
            "rsync": lambda target: ["rsync", "-a", "--delete", "-e", shell, f"127.0.0.1:{new}/", f"{target}/"],
        }
        seconds, wire = {name: [] for name in commands}, {name: [] for name in commands}
        target = laboratory.fresh("target")
        subprocess.run(["cp", "-a", "--", old, target], check=True)
        for number in range(laboratory.rounds):
            for name in sorted(commands, reverse=number % 2 == 1):
                laboratory.settle()
                counter.taken()
                seconds[name].append(laboratory.run(commands[name](target)).wall)
                wire[name].append(counter.taken())
                print(f"   {milliseconds:3} ms {name:10} {seconds[name][-1]:6.2f} s {wire[name][-1]:12,} bytes", flush=True)
                if not laboratory.same(new, target):
                    raise measure.Failed(f"{name} left another tree")
                # As it was before, for the next one.
                subprocess.run(["rsync", "-a", "--delete", f"{old}/", f"{target}/"], check=True)
        counter.stop()
        laboratory.remove(target)
        latencies[str(milliseconds)] = {
            "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
            "bytes": wire,
            "share": {"seconds": measure.ratios(seconds["mediasync"], seconds["rsync"]),
                      "bytes": measure.ratios(wire["mediasync"], wire["rsync"])},
        }
    shutil.rmtree(new, ignore_errors=True)
    return {"workload": "changed", "facts": facts, "latencies": latencies, "goals": GOALS}


def text(result):
    lines = []
    for milliseconds, each in result["latencies"].items():
        for what, share in each["share"].items():
            figure = statistics.median(each[what]["mediasync"])
            shown = f"{figure:.2f} s" if what == "seconds" else f"{int(figure):,} bytes"
            lines.append(f"   {milliseconds:>3} ms: {shown}, {share['median']:.2f} of rsync's ({share['min']:.2f} to "
                         f"{share['max']:.2f}; goal {GOALS[what]})")
    return "\n".join(lines)


def rows(result, spread, judged):
    """Rows of the report: figure, measured, target."""
    return [(f"2 % changed, {milliseconds}ms, {what}", f"{spread(share)} of rsync's", judged(share["median"] <= GOALS[what], f"<= {GOALS[what]:g}"))
            for milliseconds, each in result["latencies"].items() for what, share in each["share"].items()]
