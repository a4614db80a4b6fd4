"""Processor time of one picture: the decoder that `mediasync` starts, beside vipsthumbnail, on the same files.

The decoder is asked as the program asks it (see DecodeRequest.swift): a picture of a post of 1.5 megapixels comes in; it is
checked to its end, its small variant is written, and its blurhash is told. vipsthumbnail only makes the small variant."""
import array
import math
import os
import resource
import socket
import statistics
import struct
import subprocess
import tempfile

import measure
import report

GOAL_MS, GOAL_RATIO = 12.0, 3.0
PROCESS, ATTACHMENT = 0, 0
SIDES = ((1440, 1080), (1224, 1632), (1600, 900), (1250, 1250))
# The rules of the present release, in the order of DecodeRequest.swift.
MIB = 1 << 20
RULES = [16 * MIB, 99 * MIB, 8 * MIB, 256 << 10, 8 * MIB, 33177600, 921600, 8294400, 120,
         0, 8294400, 0, 230400, 0, 230400, 2, 400, 400, 0, 750000, 0, 230400, 640, 640, 75, 1, 1, 1, 0]


class Decoder:
    """One child, reached by its socket."""

    def __init__(self, binary):
        self.socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([binary, "decode-worker", str(1 << 30), "60"], stdin=other,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        other.close()

    def ask(self, path, folder=None):
        numbers = [PROCESS, ATTACHMENT, os.path.getsize(path), 0, *RULES]
        message = struct.pack(f"<{len(numbers)}q", *numbers)
        with open(path, "rb") as picture, tempfile.TemporaryFile(dir=folder) as output:
            self.socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                             array.array("i", [picture.fileno(), output.fileno()]))])
            reply = self.socket.recv(1 << 14)
            if len(reply) < 8 or struct.unpack_from("<q", reply)[0] != 0:
                raise measure.Failed(f"the decoder refused {path}: {reply!r}")
            output.seek(0)
            return output.read()

    def end(self):
        """Its processor time."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.socket.close()
        self.process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def box(width, height):
    return round(math.sqrt(230400 * width / height)), round(math.sqrt(230400 * height / width))


def check(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise measure.Failed(f"{' '.join(command)}: {done.stdout.decode(errors='replace')}")


def spent(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def make(folder, count):
    """Pictures with detail and noise, as photographs have them; lossless originals beside them."""
    pictures = []
    for index in range(count):
        width, height = SIDES[index % len(SIDES)]
        name = os.path.join(folder, f"{index:03}")
        frame = f"mandelbrot=size={width}x{height}:start_scale={3 / (index + 1)}:maxiter=400,noise=alls=8:all_seed={index},gblur=sigma=0.7"
        check(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", frame, "-frames:v", "1", "-pix_fmt", "rgb24",
               name + ".png"])
        check(["vips", "copy", name + ".png", name + ".jpg[Q=88]"])
        pictures.append((name, width, height))
    return pictures


def similarity(one, name):
    """How like it is to what another scaler makes of the lossless picture, at the same size."""
    size = [subprocess.run(["vipsheader", "-f", field, one], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
            for field in ("width", "height")]
    other = name + "-ideal.png"
    check(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", name + ".png", "-vf",
           f"scale={size[0]}:{size[1]}:flags=lanczos+accurate_rnd", other])
    done = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", one, "-i", other, "-lavfi",
                           "[0:v]format=gbrp[a];[1:v]format=gbrp[b];[a][b]psnr", "-f", "null", "-"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return float(done.stderr.decode().rsplit("average:", 1)[1].split()[0])


def quality(binary, folder, pictures):
    """PSNR against what another scaler makes of the lossless picture, and bytes: ours, theirs."""
    decoder = Decoder(binary)
    rows = []
    for name, width, height in pictures:
        ours, theirs = name + "-ours.jpg", name + "-theirs.jpg"
        with open(ours, "wb") as file:
            file.write(decoder.ask(name + ".jpg"))
        across, down = box(width, height)
        check(["vipsthumbnail", name + ".jpg", "--size", f"{across}x{down}>", "-o", theirs])
        rows.append((similarity(ours, name), similarity(theirs, name), os.path.getsize(ours), os.path.getsize(theirs)))
    decoder.end()
    return [statistics.mean(row[column] for row in rows) for column in range(4)]


def run(laboratory, quick):
    count, repeats = (4, 1) if quick else (24, 4)
    folder = laboratory.fresh("pictures")
    os.mkdir(folder)
    pictures = make(folder, count)
    mean = statistics.mean(os.path.getsize(name + ".jpg") for name, _, _ in pictures)
    pixels = statistics.mean(width * height for _, width, height in pictures)
    rounds = []
    for _ in range(laboratory.rounds):
        idle = Decoder(laboratory.binary)
        idle.ask(pictures[0][0] + ".jpg")
        start = idle.end()
        decoder = Decoder(laboratory.binary)
        decoder.ask(pictures[0][0] + ".jpg")
        for _ in range(repeats):
            for name, _, _ in pictures:
                decoder.ask(name + ".jpg")
        ours = (decoder.end() - start) / (repeats * count)
        # All pictures of one shape in one process, so that its start does not count for much; all of them as one box would.
        theirs = 0.0
        for width, height in SIDES:
            across, down = box(width, height)
            files = [name + ".jpg" for name, w, h in pictures if (w, h) == (width, height)] * repeats
            theirs += spent(["vipsthumbnail", *files, "--vips-concurrency=1", "--size", f"{across}x{down}>", "-o", folder + "/t_%s.jpg"])
            theirs -= spent(["vipsthumbnail", "--vips-version"])
        rounds.append({"ours_ms": ours * 1000, "theirs_ms": theirs * 1000 / (repeats * count), "start_ms": start * 1000})
    likeness = quality(laboratory.binary, folder, pictures)
    return {
        "workload": "images", "pictures": count, "repeats": repeats, "mean_bytes": mean, "mean_pixels": pixels,
        "rounds": rounds,
        "ours_ms": statistics.median(row["ours_ms"] for row in rounds),
        "theirs_ms": statistics.median(row["theirs_ms"] for row in rounds),
        "ratio": statistics.median(row["theirs_ms"] / row["ours_ms"] for row in rounds),
        "psnr": {"ours": likeness[0], "theirs": likeness[1]}, "bytes": {"ours": likeness[2], "theirs": likeness[3]},
        "goals": {"ours_ms": GOAL_MS, "ratio": GOAL_RATIO},
    }


def text(result):
    spread = [row["theirs_ms"] / row["ours_ms"] for row in result["rounds"]]
    return "\n".join([
        f"   {result['pictures']} JPEGs of {result['mean_pixels'] / 1e6:.2f} megapixels and {result['mean_bytes'] / 1000:.0f} kB"
        f" on average, {result['repeats']} times, {len(result['rounds'])} rounds",
        f"   mediasync       {result['ours_ms']:6.2f} ms of processor time each (goal: at most {GOAL_MS:g})",
        f"   vipsthumbnail   {result['theirs_ms']:6.2f} ms, without a blurhash: {result['ratio']:.2f} times as much"
        f" ({min(spread):.2f} to {max(spread):.2f}; goal: at least {GOAL_RATIO:g})",
        f"   likeness        {result['psnr']['ours']:.2f} dB, vipsthumbnail {result['psnr']['theirs']:.2f} dB;"
        f" {result['bytes']['ours'] / 1000:.1f} kB, {result['bytes']['theirs'] / 1000:.1f} kB",
    ])
