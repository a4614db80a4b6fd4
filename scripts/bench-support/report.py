"""Results as text, as JSON and as docs/benchmarks.md."""
import json
import os
import statistics

INTRODUCTION = """\
# Benchmarks

Written by `scripts/bench` from the results in `Benchmarks/Results/`; not edited by hand. `make bench` repeats all of it.

Every figure is of the whole process of the release binary. The tools ran in turn, in alternating order, in the same
minutes. A **ratio** is mediasync's time divided by the other tool's time in the same round: the median of the rounds, with
the smallest and the largest in brackets (the noise). Below 1 mediasync is faster. **CPU** is user and system time of all its
processes. What earlier runs left to write was written out before each run; the time of writing out what a run itself left
in the cache is in no figure, except where a tool flushes. Targets were set before the measurements and stay as they were.
"""


def verdict(row):
    if row.get("limit") is None:
        return ""
    return f"{'reached' if row['reached'] else '**missed**'} (<= {row['limit']:g})"


def spread(numbers):
    """A ratio with its noise; small ones need more digits."""
    digits = 3 if numbers["median"] < 0.1 else 2
    return f"{numbers['median']:.{digits}f} ({numbers['min']:.{digits}f}..{numbers['max']:.{digits}f})"


def times(runs):
    return {row["tool"]: (statistics.median(row["wall"]), min(row["wall"]), statistics.median(row["cpu"])) for row in runs}


def table(heading, rows):
    """A Markdown table with its columns aligned, so that the source can be read too."""
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]

    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    return "\n".join([line(heading), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def timed(result):
    facts = [(tool, f"{wall:.2f}", f"{best:.2f}", f"{cpu:.2f}") for tool, (wall, best, cpu) in times(result["runs"]).items()]
    parts = [table(("tool", "wall s, median", "best", "CPU s, median"), facts)]
    several = len({row["ours"] for row in result["comparisons"]}) > 1
    rows = [((row["ours"] + " to " if several else "to ") + row["against"], spread(row["wall"]), spread(row["cpu"]), verdict(row))
            for row in result["comparisons"]]
    if rows:
        parts.append(table(("ratio", "wall", "CPU", "target (wall)"), rows))
    return "\n\n".join(parts)


def counted(result):
    rows = [(row["tool"], row["what"], f"{row['value']:g} {row['unit']}", verdict(row)) for row in result["figures"]]
    return table(("tool", "what", "figure", "target"), rows)


def body(result):
    if "not_run" in result:
        return f"Not run: {result['not_run']}."
    if "failed" in result:
        return f"**Failed**: {result['failed']}"
    return timed(result) if "runs" in result else counted(result)


def remarks(result):
    """The lines below a table: what was copied, how often, whether the results were right, and how busy the machine was."""
    if "tree" not in result:
        return []
    tree = result["tree"]
    said = f"{tree['files']:,} files, {tree['directories']:,} directories, {tree['bytes'] / 2**20:,.0f} MiB"
    if "rounds" in result:
        said += f"; rounds: {result['rounds']}"
    if result.get("load"):
        said += f"; load {result['load'][0]:.1f} before, {result['load'][1]:.1f} after"
    lines = [said + "."]
    if result.get("verified") is not None:
        lines.append("Checked: `rsync -ain --delete` finds no difference between source and result."
                     if result["verified"] else "**The result differs from the source.**")
    return lines + [note[:1].upper() + note[1:] + "." for note in result.get("notes", [])]


def text(result):
    return "\n".join("   " + line for line in (body(result) + "\n" + " ".join(remarks(result))).splitlines())


def save(document, folder):
    os.makedirs(folder, exist_ok=True)
    stamp = document["date"].replace(":", "").replace("Z", "")
    path = os.path.join(folder, f"{stamp}-{document['subject']}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    return path


def newest(folder):
    """The newest result of each workload, in the order of the newest file that has it all."""
    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith("-copy.json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                document = json.load(file)
            for result in document["workloads"]:
                if "not_run" not in result or result["workload"] not in found:
                    found[result["workload"]] = (document, result)
    return found


def circumstances(document):
    machine, versions = document["machine"], document["versions"]
    tools = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in ("mediasync", "swift"))
    return (f"{document['date']}, mediasync {document['commit']} (Swift {versions.get('swift', '?')}); {machine['cores']} cores of "
            f"{machine['cpu']}, {machine['memory_gib']} GiB, {machine['filesystem']}, {machine['system']}, kernel {machine['kernel']}; "
            f"{tools}. Command: `{document['command']}`")


def restored(folder):
    """The section of the newest restore; empty where there is none."""
    names = sorted(name for name in os.listdir(folder) if name.endswith("-restore.json"))
    if not names:
        return []
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as file:
        document = json.load(file)
    result = document["workloads"][0]
    seconds = [(tool, f"{statistics.median(runs):.2f}", f"{min(runs):.2f}") for tool, runs in result["seconds"].items()]

    def judged(figure, limit):
        return f"{'reached' if figure >= limit else '**missed**'} (>= {limit:g})"
    rows = [(f"times as fast as {tool}", spread(ratio), judged(ratio["median"], result["goals"][tool]))
            for tool, ratio in result["faster_than"].items()]
    busy, peak = statistics.median(result["all_busy_share"]), result["peak_mib"]
    rows += [("inspection, MB a second of processor time", f"{result['inspection_mb_per_cpu_s']:,.0f}",
              judged(result["inspection_mb_per_cpu_s"], 400)),
             ("all connections busy up to the last index", f"{busy:.0%}", judged(busy, 0.9)),
             ("memory of mediasync, largest", f"{peak:.0f} MiB", f"{'reached' if peak <= 256 else '**missed**'} (<= 256)")]
    return ["## restore: a plain dump of a Mastodon 4.5 database", "",
            table(("tool", "wall s, median", "best"), seconds), "",
            table(("figure", "measured", "target"), rows), "",
            f"{result['rows']:,} rows of statuses, accounts, media_attachments, favourites and follows, {result['text_bytes'] / 2**20:,.0f} MiB "
            f"of text, all indexes; PostgreSQL with its defaults, fsync on; {result['jobs']} connections; rounds: "
            f"{len(next(iter(result['seconds'].values())))}. pg_restore reads the same data in custom format. mediasync inspects the dump, "
            "verifies and swaps within its time. Checked: all rows are there after every run.", "",
            circumstances(document) + ".", ""]


def cleaned(folder):
    """The section of the newest result of each part of cleanup; empty where there is none."""
    import cleanup_bench
    parts, documents = {}, {}
    for name in sorted(name for name in os.listdir(folder) if name.endswith("-cleanup.json")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            document = json.load(file)
        for result in document["workloads"]:
            parts[result["workload"]], documents[result["workload"]] = result, document
    if not parts:
        return []
    lines = ["## cleanup: old remote attachments; verify --store", ""]
    if "cleanup" in parts:
        seconds = [(tool, f"{statistics.median(runs):.2f}", f"{min(runs):.2f}")
                   for tool, runs in parts["cleanup"]["cleanup_seconds"].items()]
        lines += [table(("tool", "wall s, median", "best"), seconds), ""]
    lines += [table(("figure", "measured", "target"), cleanup_bench.figures(parts)), "",
              cleanup_bench.remarks(next(iter(parts.values()))), ""]
    told = []
    for part, document in documents.items():
        if circumstances(document) not in told:
            told.append(circumstances(document))
            same = [name for name, other in documents.items() if circumstances(other) == circumstances(document)]
            lines += [f"{', '.join(same)}: {circumstances(document)}.", ""]
    return lines


def archived(folder):
    """The section of the newest run over archives; empty where there is none."""
    import archive_bench
    names = sorted(name for name in os.listdir(folder) if name.endswith("-archive.json"))
    if not names:
        return []
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as file:
        document = json.load(file)
    result = document["workloads"][0]
    facts = [(tool, f"{statistics.median(runs):.2f}", f"{min(runs):.2f}", f"{statistics.median(result['processor_seconds'][tool]):.2f}")
             for tool, runs in result["seconds"].items()]
    rows = [(f"times as fast as {tool}", spread(ratio),
             f"{'reached' if ratio['median'] >= result['goals'][tool] else '**missed**'} (>= {result['goals'][tool]:g})")
            for tool, ratio in result["faster_than"].items()]
    return ["## archive: media archives, extracted and made", "",
            table(("tool", "wall s, median", "best", "CPU s, median"), facts), "",
            table(("figure", "measured", "target"), rows), "",
            archive_bench.remarks(result), "", circumstances(document) + ".", ""]


def pictured(folder):
    """The section of the newest run over pictures; empty where there is none."""
    names = sorted(name for name in os.listdir(folder) if name.endswith("-images.json"))
    if not names:
        return []
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as file:
        document = json.load(file)
    result = document["workloads"][0]
    goals, ratios = result["goals"], [row["theirs_ms"] / row["ours_ms"] for row in result["rounds"]]

    def judged(reached, limit):
        return f"{'reached' if reached else '**missed**'} ({limit})"
    likeness, size = result["psnr"], result["bytes"]
    rows = [("processor time each", f"{result['ours_ms']:.1f} ms",
             judged(result["ours_ms"] <= goals["ours_ms"], f"<= {goals['ours_ms']:g}")),
            ("vipsthumbnail, without a blurhash", f"{result['theirs_ms']:.1f} ms, {result['ratio']:.2f} times as much "
             f"({min(ratios):.2f} to {max(ratios):.2f})", judged(result["ratio"] >= goals["ratio"], f">= {goals['ratio']:g}")),
            ("likeness to the lossless picture", f"{likeness['ours']:.2f} dB, vipsthumbnail {likeness['theirs']:.2f} dB",
             judged(likeness["ours"] >= likeness["theirs"] - 0.2, "within 0.2")),
            ("bytes", f"{size['ours'] / 1000:.1f} kB, vipsthumbnail {size['theirs'] / 1000:.1f} kB", "")]
    return ["## images: the small variant and the blurhash of a JPEG", "", table(("figure", "measured", "target"), rows), "",
            f"{result['pictures']} JPEGs of {result['mean_pixels'] / 1e6:.2f} megapixels and {result['mean_bytes'] / 1000:.0f} kB on "
            f"average, {result['repeats']} times, {len(result['rounds'])} rounds; one decoder, asked as `mediasync` asks it: the picture is "
            "checked to its end as well. Processor time without that of the start.", "",
            circumstances(document) + ".", ""]


def fetched(folder):
    """The section of the newest fetch; empty where there is none."""
    names = sorted(name for name in os.listdir(folder) if name.endswith("-fetch.json"))
    if not names:
        return []
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as file:
        document = json.load(file)
    result = document["workloads"][0]
    goals, rates = result["goals"], result["files_per_second"]
    rate, cpu = statistics.median(rates["mediasync"]), statistics.median(result["cpu_microseconds"])

    def judged(reached, limit):
        return f"{'reached' if reached else '**missed**'} ({limit})"
    rows = [("files a second", f"{rate:,.0f}", judged(rate >= goals["files_per_second"], f">= {goals['files_per_second']:,}")),
            ("processor time of each, microseconds", f"{cpu:.0f}", judged(cpu <= goals["cpu_microseconds"], f"<= {goals['cpu_microseconds']}")),
            ("times as fast as curl --parallel", spread(result["than_curl"]),
             judged(result["than_curl"]["median"] >= goals["than_curl"], f">= {goals['than_curl']:g}"))]
    return ["## fetch: small files from strangers", "", table(("figure", "measured", "target"), rows), "",
            f"{result['files']:,} files of {result['bytes_each']:,} bytes from {result['addresses']} addresses of one server on loopback, "
            f"which has one thread and shares the processors; {result['in_flight']} in flight, one loop thread, written to files in "
            f"memory; rounds: {len(rates['mediasync'])}. curl --parallel-max {result['in_flight']} does the same. Checked: all files have "
            "their size after every run.", "", circumstances(document) + ".", ""]


def section(folder, bench, name):
    """What a benchmark says of its newest result; empty where there is none."""
    names = sorted(each for each in os.listdir(folder) if each.endswith(f"-{name}.json"))
    if not names:
        return []
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as file:
        document = json.load(file)
    return [*bench.section(document["workloads"][0], table, spread), "", circumstances(document) + ".", ""]


def newest_parts(folder, subject, parts):
    """Document and result of the newest run of each part of a subject, in the order of `parts`."""
    found = {}
    for name in sorted(name for name in os.listdir(folder) if name.endswith(f"-{subject}.json")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            document = json.load(file)
        for result in document["workloads"]:
            found[result["workload"]] = (document, result)
    return [found[part] for part in parts if part in found]


def refreshed(folder):
    """The section of the newest run of each part of refresh; empty where there is none."""
    import refresh_bench
    parts = newest_parts(folder, "refresh", refresh_bench.PARTS)
    if not parts:
        return []
    rows = [row for _, result in parts for row in refresh_bench.figures(result)]
    lines = ["## refresh: media of 200 hosts, beside a stand-in for tootctl's loop", "", table(("figure", "measured", "target"), rows), "",
             refresh_bench.INTRODUCTION, ""]
    for _, result in parts:
        lines += [refresh_bench.remarks(result), ""]
    runs = {}
    for document, result in parts:
        runs.setdefault(circumstances(document), []).append(result["workload"])
    for run, names in runs.items():
        lines += [f"{', '.join(names)}: {run}.", ""]
    return lines


def copied_by_ssh(folder):
    """The section of the newest run of each part of copies between machines; empty where there is none."""
    import ssh_bench
    parts = newest_parts(folder, "ssh", ssh_bench.PARTS)
    if not parts:
        return []
    rows = [row for _, result in parts for row in ssh_bench.rows(result, spread)]
    lines = ["## ssh: copies from another machine", "", table(("figure", "measured", "target"), rows), "", ssh_bench.INTRODUCTION, ""]
    for document, result in parts:
        facts = result.get("facts", result)
        lines += [f"{result['workload']}: {facts['files']:,} files, {facts['directories']:,} directories, {facts['bytes'] / 2**20:,.0f} MiB; "
                  f"{circumstances(document)}.", ""]
    return lines


def write(folder, path):
    import delta_bench
    from copy_workloads import WORKLOADS
    found = newest(folder)
    order = [workload.name for workload in WORKLOADS if workload.name in found]
    runs = []
    for name in order:
        if circumstances(found[name][0]) not in runs:
            runs.append(circumstances(found[name][0]))
    parts = [INTRODUCTION, "## Summary\n", summary([found[name][1] for name in order]), ""]
    for name in order:
        document, result = found[name]
        which = f" Run {runs.index(circumstances(document)) + 1}." if len(runs) > 1 else ""
        parts += [f"## {name}: {result['title']}\n", body(result), "", " ".join(remarks(result)) + which, ""]
    parts += restored(folder) + archived(folder) + cleaned(folder) + pictured(folder) + fetched(folder)
    parts += refreshed(folder) + section(folder, delta_bench, "delta") + copied_by_ssh(folder)
    parts.append("## Circumstances\n")
    parts += [f"{number}. {run}" for number, run in enumerate(runs, 1)] + [""]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))


def summary(results):
    rows = []
    for result in results:
        for row in result.get("comparisons", []):
            if row["limit"] is not None:
                rows.append((result["workload"], f"wall, to {row['against']}", spread(row["wall"]), verdict(row)))
        for row in result.get("figures", []):
            if row["limit"] is not None:
                rows.append((result["workload"], f"{row['tool']}, {row['what']}", f"{row['value']:g} {row['unit']}", verdict(row)))
        if "failed" in result or "not_run" in result:
            rows.append((result["workload"], "", "failed" if "failed" in result else "not run", ""))
    return table(("workload", "what", "figure", "target"), rows)
