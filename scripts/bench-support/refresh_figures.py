"""What is said of the results of a refresh."""
import statistics

from refresh_world import HOSTS, IN_FLIGHT, PER_HOST, RATE

INTRODUCTION = (
    "The *stand-in* is a loop written for this benchmark in Ruby with the libraries that Mastodon uses (ruby-vips, libpq), without Rails: it "
    "is not tootctl. It does what tootctl's code does with a row and no more: five threads, batches that wait for their slowest, a "
    "connection for each file, the variants by libvips, the blurhash in C, one transaction for each row; its files are not flushed, while "
    "mediasync's are. Hosts are addresses of one server on loopback, which answers after their latency; PostgreSQL has its defaults, fsync on, "
    "and a Mastodon 4.6 schema. Shares and CPU of tools are without those two. Checked after every run: rows and files are there.")


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
        ("memory at 256 in flight, sum of what is resident", f"{result['sum_mib']:g} MiB", ""),
        ("memory at 256 in flight, all, shared pages once", f"{result['together_mib']:g} MiB",
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
    # Older results do not say it.
    idle = (f" Of the processors {result['idle']:.1%} were idle, {result['alone_idle']:.1%} beside the decoders alone; "
            f"{result['stolen']:.1%} were another machine's. The largest host's {result['largest_host']} pictures take at least {result['largest_s']:.1f} s "
            f"at {RATE} a second, of {statistics.median(result['walls']):.1f} s.") if "largest_host" in result else ""
    return (f"*pipeline*: {result['items']:,} JPEGs of {result['pixels'] / 1e6:.2f} megapixels, {result['bytes'] / result['items'] / 1000:.0f} kB "
            f"on average; alone, as many decoders do the same pictures and nothing else runs. Beside the pipeline the origin takes "
            f"{result['origin_ms']:.2f} ms of CPU for each and the server {result['server_ms']:.2f} ms, of the same processors." + idle)


def rows_remarks(result):
    return f"*rows*: {result['rows']:,} rows of media_attachments by one session, {result['batch']} in a transaction, as the commit stage writes them."


def memory_remarks(result):
    return (f"*memory*: {result['items']:,} items, {result['in_flight']} transfers in flight, looked at ten times a second. All are one program with the same "
            "libraries: the sum counts their pages for each, the last figure once.")
