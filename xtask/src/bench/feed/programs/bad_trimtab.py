"""What a loader does with input that is broken, or made to break it: each kind in a process of its own, which may end neither by a signal
nor late, and must name what is wrong or leave it out and count it.

Told are a FOLDER to make the files in, which a server serves as well, and its URL; and, by this program itself, one of the CASES.
"""

import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import trimtab as tt

LIMIT = 256 << 20
"""Memory of each loader; and that its process may grow by."""
PATIENCE = 120
"""Seconds after which a case hangs."""
BOMB_MEMBER = 256 << 20
BOMB_MEMBERS = 40
"""Of zeros: ten gigabytes, in ten megabytes."""
PHOTOGRAPH = {"image": tt.Image(size=64)}
BYTES = {"data": tt.Bytes("bin")}


def tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def numbers(path: Path, count: int = 20, size: int = 3000) -> Path:
    return tar(path, {f"{number:03}.bin": bytes([number]) * size for number in range(count)})


def index(path: Path, sizes: list[int]) -> None:
    """As DALI's wds2idx writes it."""
    at, lines = 0, [f"v1.2 {len(sizes)}"]
    for number, size in enumerate(sizes):
        lines.append(f"bin {at + 512} {size} {number:03}.bin")
        at += 512 + (size + 511) // 512 * 512
    path.write_text("\n".join(lines) + "\n")


def image(kind: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.effect_noise((96, 96), 50).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def good() -> bytes:
    return image("JPEG", quality=90)


def zeros(path: Path, head: bytes = b"") -> Path:
    one = gzip.compress(bytes(BOMB_MEMBER), 6)
    with open(path, "wb") as file:
        file.write(gzip.compress(head) if head else b"")
        for _ in range(BOMB_MEMBERS):
            file.write(one)
    return path


def truncated_tar(folder, _):
    path = numbers(folder / "truncated.tar")
    os.truncate(path, path.stat().st_size // 2 + 700)
    return path, BYTES, {}


def wrong_checksum_of_tar(folder, _):
    path = numbers(folder / "checksum.tar")
    data = bytearray(path.read_bytes())
    data[4 * 3584 + 1] ^= 1
    path.write_bytes(data)
    return path, BYTES, {}


def wrong_checksum_of_gz(folder, _):
    path = folder / "checksum.txt.gz"
    data = bytearray(gzip.compress(b"one\ntwo\n" * 1000))
    data[-8] ^= 1
    path.write_bytes(data)
    return path, {"line": tt.Text()}, {"cache_dir": folder / "kept-checksum"}


def text_bomb_in_gz(folder, _):
    path = zeros(folder / "bomb.txt.gz")
    return path, {"line": tt.Text()}, {"cache_dir": folder / "kept-text", "cache_limit": 64 << 20}


def tar_bomb_in_gz(folder, _):
    info = tarfile.TarInfo("0.bin")
    info.size = BOMB_MEMBER * BOMB_MEMBERS - 1024
    path = zeros(folder / "bomb.tar.gz", info.tobuf())
    return path, BYTES, {"cache_dir": folder / "kept-tar", "cache_limit": 64 << 20}


def jpeg_of_four_gigapixels(folder, _):
    """As large as a JPEG can say that it is: each side has 16 bits."""
    data = good()
    frame = data.index(b"\xff\xc0")
    huge = data[: frame + 5] + struct.pack(">HH", 65_535, 65_535) + data[frame + 9 :]
    return tar(folder / "huge-jpeg.tar", {"0.jpg": good(), "1.jpg": huge, "2.jpg": good()}), PHOTOGRAPH, {}


def png_of_ten_gigapixels(folder, _):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    huge = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
    return tar(folder / "huge-png.tar", {"0.png": huge, "1.png": image("PNG")}), PHOTOGRAPH, {}


def cmyk_jpeg(folder, _):
    return tar(folder / "cmyk.tar", {"0.jpg": good(), "1.jpg": image("JPEG", "CMYK")}), PHOTOGRAPH, {}


def jpeg_of_twelve_bits(folder, _):
    data = bytearray(good())
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = 0xC1, 12
    return tar(folder / "twelve.tar", {"0.jpg": good(), "1.jpg": bytes(data)}), PHOTOGRAPH, {}


def images_cut_short(folder, _):
    members = {}
    for number, (kind, name) in enumerate([("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")]):
        data = image(kind)
        members[f"{number}.{name}"] = data[: len(data) // 2]
    return tar(folder / "short.tar", members), PHOTOGRAPH, {}


def images_of_noise(folder, _):
    draws = random.Random(5)
    members = {f"{number:02}.jpg": good()[:20] + draws.randbytes(2000) for number in range(20)}
    return tar(folder / "noise.tar", members), PHOTOGRAPH, {}


def parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def parquet_without_the_column(folder, _):
    path = parquet(folder / "without.parquet", text=["a", "b"])
    return path, {"text": tt.Text("words")}, {"cache_dir": folder / "kept-without"}


def parquet_of_another_type(folder, _):
    path = parquet(folder / "type.parquet", label=["a", "b"])
    return path, {"label": tt.Integer("label")}, {"cache_dir": folder / "kept-type"}


def parquet_with_two_schemas(folder, _):
    parquet(folder / "two-0.parquet", label=[1, 2])
    parquet(folder / "two-1.parquet", other=["a", "b"])
    return folder / "two-*.parquet", {"label": tt.Integer("label")}, {"cache_dir": folder / "kept-two"}


def parquet_cut_short(folder, _):
    path = parquet(folder / "short.parquet", label=list(range(10_000)))
    os.truncate(path, path.stat().st_size - 100)
    return path, {"label": tt.Integer("label")}, {"cache_dir": folder / "kept-short"}


def index_of_another_tar(folder, url):
    numbers(folder / "other.tar")
    index(folder / "other.idx", [2000] * 20)
    return f"{url}other.tar", BYTES, {}


def index_of_another_tokens(folder, _):
    path = folder / "text.bin"
    np.arange(100, dtype="<i4").tofile(path)
    head = b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 4, 1, 2)
    (folder / "text.idx").write_bytes(head + struct.pack("<iqqq", 200, 0, 0, 1))
    return path, {"tokens": tt.Tokens(8, dtype="int32")}, {}


def index_of_another_mds(folder, _):
    home = folder / "mds"
    home.mkdir()
    (home / "0.mds").write_bytes(struct.pack("<III", 1, 12, 13) + b"a")
    shard = {"basename": "0.mds", "bytes": 14, "hashes": {}}
    entry = {"column_encodings": ["bytes"], "column_names": ["bin"], "column_sizes": [1], "compression": None, "format": "mds"}
    entry |= {"hashes": [], "samples": 1, "size_limit": None, "version": 2, "raw_data": shard, "zip_data": None}
    (home / "index.json").write_text(json.dumps({"shards": [entry], "version": 2}))
    return home, BYTES, {}


def vanished_object(folder, url):
    numbers(folder / "gone-0.tar")
    path = numbers(folder / "gone-1.tar", 60, 4 << 20)
    return f"{url}gone-*.tar", BYTES, {"then": path.unlink, "requests": 2, "prefetch": 1}


def replaced_object(folder, url):
    path = numbers(folder / "new.tar", 60, 4 << 20)

    def replace():
        numbers(folder / "new.part", 60, 5 << 20)
        (folder / "new.part").replace(path)

    return f"{url}new.tar", BYTES, {"then": replace, "requests": 2, "prefetch": 1}


def files_of_noise(folder, _):
    draws = random.Random(7)
    home = folder / "random"
    home.mkdir()
    (home / "0.tar").write_bytes(draws.randbytes(50_000))
    return home / "0.tar", BYTES, {}


def tables_of_noise(folder, _):
    path = folder / "noise.parquet"
    path.write_bytes(b"PAR1" + random.Random(9).randbytes(50_000) + b"PAR1")
    return path, {"label": tt.Integer("label")}, {"cache_dir": folder / "kept-noise"}


def lines_that_are_no_json(folder, _):
    path = folder / "lines.jsonl"
    path.write_text('{"text": "a"}\n{"text": \n{"text": "b"}\n')
    return path, {"text": tt.Text("text")}, {}


def text_of_another_encoding(folder, _):
    path = folder / "latin.txt"
    path.write_bytes("eins\nzwölf\ndrei\n".encode("latin-1"))
    return path, {"line": tt.Text()}, {}


CASES = {
    name: case
    for name, case in list(globals().items())
    if getattr(case, "__code__", None) and case.__code__.co_varnames[:1] == ("folder",) and case.__code__.co_argcount == 2
}


def resident() -> int:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def outcome(data: object, columns: dict, options: dict) -> str:
    """What a loader says: the error, or how many samples were left out."""
    then = options.pop("then", None)
    loader = tt.Loader(data, columns=columns, batch_size=1, shuffle=False, memory_limit=LIMIT, **options)
    for batch in loader:
        del batch
        if then:
            then()
            then = None
    return f"{loader.skipped} left out" if loader.skipped else "nothing was said"


def one(name: str, folder: Path, url: str) -> None:
    data, columns, options = CASES[name](folder, url)
    before = resident()
    said = {}
    # What changes while it is read does so once.
    for mode in ("raise",) if "then" in options else ("skip", "raise"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said[mode] = outcome(data, columns, dict(options) | {"on_error": mode})
        except (tt.DataError, ValueError, MemoryError, OSError) as error:
            said[mode] = str(error)
    stem = Path(str(data).rpartition("/")[2]).name.split("*")[0].split(".")[0]
    is_named = stem in said["raise"] and "nothing was said" not in said.values()
    grown = resident() - before
    print(json.dumps({"said": said, "is_named": is_named, "grown": grown, "is_within": grown <= LIMIT}))


def full_disk(folder: Path, url: str) -> dict:
    """A cache on a disk of one megabyte: all samples come, and what could not be kept is counted."""
    numbers(folder / "kept.tar", size=100_000)
    program = (
        "import json, sys; import trimtab as tt; "
        "loader = tt.Loader(sys.argv[2] + 'kept.tar', columns={'data': tt.Bytes('bin')}, batch_size=4, shuffle=False, cache_dir=sys.argv[1]); "
        "cells = [cell for _ in range(2) for batch in loader for cell in batch['data']]; "
        "right = all(cell == bytes([number % 20]) * 100_000 for number, cell in enumerate(cells)) and len(cells) == 40; "
        "print(json.dumps({'right': right, 'unwritten': loader.report().cache.unwritten}))"
    )
    with tempfile.TemporaryDirectory() as disk:
        mounted = f'mount -t tmpfs -o size=1m none "{disk}" && exec "$@"'
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", sys.executable, "-c", program, disk, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        return {"said": done.stderr, "is_named": False, "is_within": True, "ended": done.returncode}
    told = json.loads(done.stdout)
    return {"said": told, "is_named": told["right"] and told["unwritten"] > 0, "is_within": True, "ended": 0}


def main() -> None:
    folder, url, *rest = sys.argv[1:]
    if rest:
        one(rest[0], Path(folder), url)
        return
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, folder, url, name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
            told = json.loads(done.stdout) if done.returncode == 0 else {"said": done.stderr, "is_named": False, "is_within": True}
            found[name] = told | {"ended": done.returncode}
        except subprocess.TimeoutExpired:
            found[name] = {"said": "it hangs", "is_named": False, "is_within": True, "ended": None}
    found["full_cache_disk"] = full_disk(Path(folder), url)
    for name, told in found.items():
        print(name, json.dumps(told), file=sys.stderr)
    wrong = [name for name, told in found.items() if not told["is_named"]]
    beyond = [name for name, told in found.items() if not told["is_within"]]
    dead = [name for name, told in found.items() if told["ended"] != 0]
    print(json.dumps({"cases": len(found), "wrong": wrong, "beyond": beyond, "dead": dead}))


main()
