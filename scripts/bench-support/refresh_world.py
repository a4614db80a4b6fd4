"""What a refresh works with: pictures, rows that name them, hosts that have them, and a database."""
import json
import os
import random
import re
import subprocess

import image_bench

HOSTS = 200
PER_HOST, RATE = 6, 20                  # mediasync's own defaults
IN_FLIGHT = 128
FIRST_ID = 115_000_000_000_000_000
TICK = os.sysconf("SC_CLK_TCK")


def ticks(pid):
    """Seconds of processor time: user, system, and those of children that were waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return [int(field) / TICK for field in fields[11:15]]


class Media:
    """Pictures as other servers have them, made once: 1.5-megapixel JPEGs, other formats, avatars of 400 pixels."""

    def __init__(self, laboratory, quick):
        self.folder = laboratory.fresh("media")
        os.mkdir(self.folder)
        self.pictures = image_bench.make(self.folder, 4 if quick else 16)
        self.jpegs = [("image/jpeg", name + ".jpg") for name, _, _ in self.pictures]
        self.others, self.avatars = [], []
        for name, _, _ in self.pictures[:4]:
            self.others += [self.convert(name, "-700.png", "700x700"), self.convert(name, "-1600.webp[Q=80]", "1600x1600"),
                            self.drawn(name, "png", "1280x900"), self.drawn(name, "gif", "640x480")]
        for index, (name, _, _) in enumerate(self.pictures):
            ends = ["-avatar.jpg[Q=85]", "-avatar.png", "-avatar.jpg[Q=90]", "-avatar.webp[Q=80]"]
            self.avatars.append(self.convert(name, ends[index % len(ends)], "400x400", "--smartcrop", "centre"))
        self.bodies = self.jpegs + self.others + self.avatars
        self.list = os.path.join(self.folder, "bodies")
        with open(self.list, "w", encoding="utf-8") as out:
            out.write("".join(f"{kind} {path}\n" for kind, path in self.bodies))

    @staticmethod
    def convert(name, end, size, *options):
        image_bench.check(["vipsthumbnail", name + ".png", "--size", size, *options, "-o", name + end])
        path = name + re.sub(r"\[.*", "", end)
        return "image/" + path.rpartition(".")[2].replace("jpg", "jpeg"), path

    @staticmethod
    def drawn(name, end, size):
        """Flat colours with sharp edges, as pictures of screens have them."""
        path = f"{name}-drawn.{end}"
        image_bench.check(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}", "-frames:v", "1", path])
        return "image/" + end, path

    def attachment(self, chance, only_jpeg):
        """The number of a body: seven in eight are JPEGs."""
        if only_jpeg or chance.random() < 0.875:
            return chance.randrange(len(self.jpegs))
        return len(self.jpegs) + chance.randrange(len(self.others))

    def avatar(self, chance):
        return len(self.jpegs) + len(self.others) + chance.randrange(len(self.avatars))


class Item:
    def __init__(self, kind, number, host, body):
        self.kind, self.number, self.host, self.body = kind, number, host, body


class Work:
    """Rows and where their files are: a few hosts have many, most have few."""

    def __init__(self, media, attachments, avatars, only_jpeg=False, exponent=0.7, kinds=""):
        chance = random.Random(11)
        weights = [1 / (rank + 1) ** exponent for rank in range(HOSTS)]
        hosts = chance.choices(range(HOSTS), weights, k=attachments + avatars)
        self.media, self.kinds = media, kinds
        self.items = [Item("attachment", FIRST_ID + 65_536 * index, hosts[index], media.attachment(chance, only_jpeg))
                      for index in range(attachments)]
        self.items += [Item("avatar", FIRST_ID + index, hosts[attachments + index], media.avatar(chance))
                       for index in range(avatars)]

    def per_host(self):
        counts = [0] * HOSTS
        for item in self.items:
            counts[item.host] += 1
        return counts

    def bytes(self):
        sizes = [os.path.getsize(path) for _, path in self.media.bodies]
        return sum(sizes[item.body] for item in self.items)

    def sample(self, count):
        """Evenly from all: every so many of the items in the order of their hosts."""
        ordered = sorted(self.items, key=lambda item: (item.kind, item.host))
        step = len(ordered) / min(count, len(ordered))
        return [ordered[int(index * step)] for index in range(min(count, len(ordered)))]

    def count(self, kind):
        return sum(item.kind == kind for item in self.items)


class Origin:
    """All hosts in one process; ended by its own pid."""

    def __init__(self, laboratory, work, latency):
        program = laboratory.compiled("media-origin.c")
        self.process = subprocess.Popen([program, work.media.list, str(HOSTS), *map(str, latency), work.kinds or "."],
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def url(self, item, path):
        return f"http://127.1.0.{item.host + 1}:{self.port}/{item.body}/{item.number}{os.path.splitext(path)[1]}"

    def cpu(self):
        return sum(ticks(self.process.pid)[:2])

    def stop(self):
        self.process.terminate()
        said = self.process.stdout.read()
        self.process.wait()
        self.process.stdout.close()
        return json.loads(said)


def fill(server, name, work, origin):
    server.make(name)
    folder = os.path.join(server.root, "rows")
    os.makedirs(folder, exist_ok=True)
    accounts, attachments = os.path.join(folder, "accounts"), os.path.join(folder, "attachments")
    with open(accounts, "w", encoding="ascii") as out:
        for host in range(HOSTS):
            out.write(f"{host + 1}\tauthor\thost{host}.example\t\\N\n")
        for item in work.items:
            if item.kind == "avatar":
                url = origin.url(item, work.media.bodies[item.body][1])
                out.write(f"{item.number}\tuser{item.number}\thost{item.host}.example\t{url}\n")
    with open(attachments, "w", encoding="ascii") as out:
        for item in work.items:
            if item.kind == "attachment":
                out.write(f"{item.number}\t{item.host + 1}\t{origin.url(item, work.media.bodies[item.body][1])}\n")
    script = os.path.join(folder, "script")
    with open(script, "w", encoding="utf-8") as out:
        out.write(f"""
            ALTER TABLE accounts ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
            ALTER TABLE media_attachments ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
            \\copy accounts (id, username, domain, avatar_remote_url) FROM '{accounts}'
            \\copy media_attachments (id, account_id, remote_url) FROM '{attachments}'
            ALTER TABLE accounts ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT;
            ALTER TABLE media_attachments ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT;
            """)
    server.client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", name, "-f", script)
    server.sql("VACUUM ANALYZE", name, user="postgres")


def named(server, name):
    """How many rows name a file."""
    return int(server.sql("SELECT (SELECT count(*) FROM media_attachments WHERE file_file_name <> '') + "
                          "(SELECT count(*) FROM accounts WHERE avatar_file_name <> '')", name))
