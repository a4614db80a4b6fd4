"""Media archives: mediasync copy beside tar -x, mediasync export beside tar | zstd -T2. The trees are Mastodon's shape."""
import os
import shutil
import statistics
import subprocess

import measure

GOALS = {"tar -xzf": 1.3, "tar --zstd -xf": 2.0, "tar | zstd -T2": 1.0}


def shell(laboratory, command):
    return laboratory.run(["bash", "-o", "pipefail", "-c", command])


def count(folder):
    done = subprocess.run(["find", folder, "-type", "f", "-printf", "."], stdout=subprocess.PIPE, check=True)
    return len(done.stdout)


def run(laboratory, quick):
    """Returns the result as a dictionary of plain values."""
    for tool in ("tar", "gzip", "zstd"):
        if shutil.which(tool) is None:
            raise measure.Unfit(f"needs {tool}")
    # What every round made stays until all are measured.
    laboratory.need_space(1 if quick else 3 + (5 if laboratory.own_filesystems else 9 * laboratory.rounds))
    media, facts = laboratory.tree("media", files=500 if quick else 50_000, bytes="6M" if quick else "600M", seed=4)
    packed = {name: os.path.join(laboratory.root, "media.tar." + name) for name in ("gz", "zst")}
    # Names of the tree are the archive's own level, as the snap has it below media/.
    base = ["tar", "-C", media, "--transform", "s,^\\.,media,", "-cf", "-", "."]
    quoted = " ".join(f"'{word}'" for word in base)
    # Two pipes that are waited for: what bash lets go would end, and be counted, in the first run.
    for tool, path in (("gzip -1", packed["gz"]), ("zstd -q -T2", packed["zst"])):
        subprocess.run(["bash", "-o", "pipefail", "-c", f"{quoted} | {tool} > {path}"], check=True)
    binary = laboratory.binary
    entries = os.path.join(laboratory.root, "files")
    with open(entries, "wb") as file:
        listed = subprocess.run(["tar", "-tvf", packed["zst"]], stdout=subprocess.PIPE, check=True, env=dict(os.environ, LC_ALL="C"))
        for line in listed.stdout.splitlines():
            # -rw-r--r-- root/root 1234 2025-01-01 12:00 media/path
            words = line.split(None, 5)
            if words[0].startswith(b"-"):
                file.write(words[2] + b" " + words[5].removeprefix(b"media/") + b"\n")
    floor = laboratory.compiled("extract-floor.c", "-pthread")
    threads = str(len(os.sched_getaffinity(0)))
    tools = {
        "mediasync copy (gzip)": lambda to: laboratory.run([binary, "copy", "-q", "--fsync", "none", packed["gz"], to]),
        "tar -xzf": lambda to: shell(laboratory, f"mkdir {to} && tar --strip-components=1 -C {to} -xzf {packed['gz']}"),
        "mediasync copy (zstd)": lambda to: laboratory.run([binary, "copy", "-q", "--fsync", "none", packed["zst"], to]),
        "tar --zstd -xf": lambda to: shell(laboratory, f"mkdir {to} && tar --strip-components=1 -C {to} --zstd -xf {packed['zst']}"),
        "mediasync copy (zstd), flushed": lambda to: laboratory.run([binary, "copy", "-q", packed["zst"], to]),
        "the bare calls": lambda to: laboratory.run([floor, entries, to, threads]),
        "gzip -dc": lambda to: shell(laboratory, f"gzip -dc {packed['gz']} > /dev/null"),
        "mediasync export --zstd": lambda to: export(laboratory, media, to),
        "tar | zstd -T2": lambda to: shell(laboratory, f"tar -C {os.path.dirname(media)} -cf - {os.path.basename(media)} | zstd -q -T2 -o {to}"),
    }
    seconds, processor = {name: [] for name in tools}, {name: [] for name in tools}
    for number in range(laboratory.rounds):
        order = list(tools) if number % 2 == 0 else list(reversed(tools))
        for name in order:
            target = laboratory.target("result")
            laboratory.settle()
            if "export" in name or "-T2" in name:
                # Whoever comes first would bring the tree back into memory for the other.
                laboratory.warm(media, content=True)
            sample = tools[name](target)
            seconds[name].append(round(sample.wall, 3))
            processor[name].append(round(sample.cpu, 3))
            if "-x" in name or "copy" in name or "calls" in name:
                if count(target) != facts["files"]:
                    raise measure.Failed(f"{name} did not extract all files")
            laboratory.discard(target)
            print(f"   {name:26} {sample.wall:7.2f} s   CPU {sample.cpu:7.2f} s", flush=True)
    pairs = {"tar -xzf": "mediasync copy (gzip)", "tar --zstd -xf": "mediasync copy (zstd)",
             "tar | zstd -T2": "mediasync export --zstd"}
    return {
        "files": facts["files"], "directories": facts["directories"], "bytes": facts["bytes"],
        "archive_bytes": {name: os.path.getsize(path) for name, path in packed.items()},
        "seconds": seconds, "processor_seconds": processor, "goals": GOALS,
        "faster_than": {name: measure.ratios(seconds[name], seconds[ours]) for name, ours in pairs.items()},
    }


def export(laboratory, media, to):
    os.makedirs(to)
    return laboratory.run([laboratory.binary, "export", "-q", "--zstd", "--include-cache", "--no-database", "--env-file", os.devnull,
                           "--redis", os.devnull, "--media-root", media, "--name", "x", to])


def text(result):
    lines = [f"   {name}: mediasync is {ratio['median']:.2f} times as fast ({ratio['min']:.2f} to {ratio['max']:.2f}), goal {result['goals'][name]:g}"
             for name, ratio in result["faster_than"].items()]
    lines.append(f"   {statistics.median(result['seconds']['gzip -dc']):.2f} s are gzip's alone, "
                 f"{statistics.median(result['seconds']['the bare calls']):.2f} s directories and files without an archive")
    lines.append(f"   {statistics.median(result['seconds']['mediasync copy (zstd), flushed']):.2f} s with every file on the disk before it has its name")
    return "\n".join(lines)


def remarks(result):
    wall = statistics.median(result["seconds"]["gzip -dc"])
    return (f"{result['files']:,} files in {result['directories']:,} directories, {result['bytes'] / 2**20:,.0f} MiB; "
            f"archives of {result['archive_bytes']['gz'] / 2**20:,.0f} MiB (gzip -1) and {result['archive_bytes']['zst'] / 2**20:,.0f} MiB "
            f"(zstd); rounds: {len(result['seconds']['tar -xzf'])}. tar leaves it to the kernel when its files are on the disk, and so does "
            "mediasync where it is compared with it (--fsync none); *flushed* is its default: every file is on the disk before it has its name. "
            f"Decompressing alone takes gzip {wall:.2f} s. *The bare calls* make the same directories and files, of the same sizes, "
            "without an archive, by a thread for each processor: what nothing that extracts can be faster than. The export has digests, and is read back and "
            "compared within its time. Checked: all files are there after every extraction.")
