"""Fetching alone, beside `curl --parallel`: many small files from an origin on loopback that answers for 50 addresses."""
import json
import os
import statistics
import subprocess

import measure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ADDRESSES, IN_FLIGHT, SIZE = 50, 50, 30_000
GOALS = {"files_per_second": 10_000, "cpu_microseconds": 100, "than_curl": 1.0}


def program():
    """The engine in a process of its own; built on demand, without the benchmark harness."""
    package = os.path.join(ROOT, "Benchmarks")
    subprocess.run(["swift", "build", "--package-path", package, "-c", "release", "--product", "FetchLoad"], check=True)
    done = subprocess.run(["swift", "build", "--package-path", package, "-c", "release", "--show-bin-path"], check=True,
                          stdout=subprocess.PIPE)
    return os.path.join(done.stdout.decode().strip(), "FetchLoad")


class Origin:
    """Ended by its own pid."""

    def __init__(self, laboratory):
        self.process = subprocess.Popen([laboratory.compiled("origin.c"), str(SIZE)], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def run(laboratory, quick):
    files = 2_000 if quick else 20_000
    origin = Origin(laboratory)
    try:
        addresses = [f"http://127.0.0.{number % ADDRESSES + 1}:{origin.port}/media/{number}.png" for number in range(files)]
        listing = os.path.join(laboratory.root, "addresses")
        with open(listing, "w", encoding="ascii") as file:
            file.write("".join(f"{address}\n" for address in addresses))
        rates, ours_cpu = {"mediasync": [], "curl --parallel": []}, []
        for number in range(laboratory.rounds):
            for name in ("mediasync", "curl --parallel") if number % 2 == 0 else ("curl --parallel", "mediasync"):
                target = laboratory.fresh("files")
                os.mkdir(target)
                if name == "mediasync":
                    output = os.path.join(laboratory.root, "figures")
                    sample = laboratory.run([laboratory.binary, listing, target, str(IN_FLIGHT)], output=output)
                    with open(output, encoding="ascii") as file:
                        figures = json.load(file)
                    # The process's own clocks: starting it is no fetching.
                    wall = figures["seconds"]
                    ours_cpu.append(figures["cpu_seconds"] / files * 1e6)
                else:
                    config = os.path.join(laboratory.root, "config")
                    with open(config, "w", encoding="ascii") as file:
                        file.write("".join(f'url = "{address}"\noutput = "{target}/{index}"\n'
                                           for index, address in enumerate(addresses)))
                    sample = laboratory.run(["curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--parallel",
                                             "--parallel-max", str(IN_FLIGHT), "--config", config])
                    wall = sample.wall
                got = sum(entry.stat().st_size == SIZE for entry in os.scandir(target))
                if got != files:
                    raise measure.Failed(f"{name} fetched {got} of {files} files")
                laboratory.remove(target)
                rates[name].append(files / wall)
                print(f"   {name:16} {files / wall:8.0f} files/s, {sample.cpu / files * 1e6:5.0f} us of CPU each", flush=True)
        return {
            "files": files, "bytes_each": SIZE, "addresses": ADDRESSES, "in_flight": IN_FLIGHT,
            "files_per_second": {name: [round(rate) for rate in values] for name, values in rates.items()},
            "cpu_microseconds": [round(value, 1) for value in ours_cpu],
            "than_curl": measure.ratios(rates["mediasync"], rates["curl --parallel"]),
            "goals": GOALS,
        }
    finally:
        origin.stop()


def text(result):
    rate = statistics.median(result["files_per_second"]["mediasync"])
    cpu = statistics.median(result["cpu_microseconds"])
    ratio = result["than_curl"]
    return (f"   {rate:,.0f} files/s (goal {GOALS['files_per_second']:,}), {cpu:.0f} us of CPU each (goal {GOALS['cpu_microseconds']}), "
            f"{ratio['median']:.2f} times as fast as curl --parallel ({ratio['min']:.2f} to {ratio['max']:.2f}; goal 1.0)")
