"""The delta engine alone, beside librsync: signature and delta of a file in memory, on one thread."""
import json
import os
import random
import statistics
import subprocess

import measure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOAL = 3.0
# What became of the file, and how it is made of the old one.
CHANGES = {
    "equal": "nothing changed",
    "edited": "2 % in place, in pieces of 100 kB",
    "shifted": "a thousand bytes inserted at the front and every 16 MiB",
    "other": "another file altogether",
}


def program():
    """The engine in a process of its own; built on demand, without the benchmark harness."""
    package = os.path.join(ROOT, "Benchmarks")
    subprocess.run(["swift", "build", "--package-path", package, "-c", "release", "--product", "DeltaRate"], check=True)
    done = subprocess.run(["swift", "build", "--package-path", package, "-c", "release", "--show-bin-path"], check=True,
                          stdout=subprocess.PIPE)
    return os.path.join(done.stdout.decode().strip(), "DeltaRate")


def noise(size, seed):
    """The same bytes on every machine, none of which repeat."""
    source, most = random.Random(seed), 64 << 20
    return b"".join(source.randbytes(min(most, size - start)) for start in range(0, size, most))


def changed(old, change):
    if change == "equal":
        return old
    if change == "other":
        return noise(len(old), 99)
    new = bytearray(old)
    if change == "edited":
        for number in range(len(old) // 5_000_000):
            new[number * 5_000_000:number * 5_000_000 + 100_000] = noise(100_000, number)
        return bytes(new)
    parts = [noise(1000, 1)]
    for number, start in enumerate(range(0, len(old), 16 << 20)):
        parts += [old[start:start + (16 << 20)], noise(1000, number + 2)]
    return b"".join(parts)


def run(laboratory, quick):
    size = (16 if quick else 256) << 20
    rival = laboratory.compiled("librsync-rate.c", "-lrsync")
    old = noise(size, 7)
    old_path = os.path.join(laboratory.root, "old")
    with open(old_path, "wb") as file:
        file.write(old)
    results = {}
    for change in CHANGES:
        new = changed(old, change)
        new_path = os.path.join(laboratory.root, "new")
        with open(new_path, "wb") as file:
            file.write(new)
        ours, theirs = [], []
        for number in range(laboratory.rounds):
            for name in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
                output = os.path.join(laboratory.root, "figures")
                if name == "ours":
                    laboratory.run([laboratory.binary, old_path, new_path], output=output)
                else:
                    block = ours[-1]["block"] if ours else 16384
                    laboratory.run([rival, old_path, new_path, str(block)], output=output)
                with open(output, encoding="ascii") as file:
                    (ours if name == "ours" else theirs).append(json.load(file))
        results[change] = {
            "signature_mb_per_s": [round(size / 1e6 / one["signature"]) for one in ours],
            "delta_mb_per_s": [round(len(new) / 1e6 / one["delta"]) for one in ours],
            "signature": measure.ratios([one["signature"] for one in theirs], [one["signature"] for one in ours]),
            "delta": measure.ratios([one["delta"] for one in theirs], [one["delta"] for one in ours]),
            "sent": [ours[-1]["literals"] + 9 * ours[-1]["pieces"], theirs[-1]["delta_bytes"]],
            "signature_bytes": [ours[-1]["signature_bytes"], theirs[-1]["signature_bytes"]],
        }
        print(line(change, results[change]), flush=True)
    return {"bytes": size, "changes": results, "goal": GOAL}


def line(change, one):
    return (f"   {change:8} signature {statistics.median(one['signature_mb_per_s']):6,.0f} MB/s, {one['signature']['median']:.1f} times librsync; "
            f"delta {statistics.median(one['delta_mb_per_s']):6,.0f} MB/s, {one['delta']['median']:.1f} times "
            f"({one['delta']['min']:.1f} to {one['delta']['max']:.1f}; goal {GOAL}); sent {one['sent'][0]:,} of {one['sent'][1]:,}")


def text(result):
    return "\n".join(line(change, one) for change, one in result["changes"].items())


def section(result, table, spread):
    """For docs/benchmarks.md."""
    rows = []
    for change, one in result["changes"].items():
        for what, rate in (("signature", "signature_mb_per_s"), ("delta", "delta_mb_per_s")):
            verdict = "reached" if one[what]["median"] >= GOAL else "**missed**"
            rows.append((change, what, f"{statistics.median(one[rate]):,.0f}", spread(one[what]), f"{verdict} (>= {GOAL:g})"))
    rounds = len(next(iter(result["changes"].values()))["delta_mb_per_s"])
    sent = "; ".join(f"{change} {one['sent'][0]:,} of {one['sent'][1]:,}" for change, one in result["changes"].items())
    changes = ", ".join(f"{name}: {what}" for name, what in CHANGES.items())
    return ["## delta: signature and delta of a large file, beside librsync", "",
            table(("file", "what", "MB a second", "times as fast as librsync", "target"), rows), "",
            f"{result['bytes'] / 2**20:.0f} MiB of bytes that do not repeat, in memory, on one thread, with blocks of the same length "
            f"(librsync: RabinKarp and BLAKE2); rounds: {rounds}. {changes[0].upper()}{changes[1:]}. Bytes of the delta, ours of librsync's: {sent}."]
