"""How fast bytes come from a store of objects: an ORDER, and the DATA's address; options of the store as NAME=VALUE."""

import hashlib
import json
import sys
import time

import numpy  # noqa: F401 - what arrays are made of is not part of what is measured
import trimtab as tt

order, data, *options = sys.argv[1:]
shuffle = {"in-order": False, "windowed": tt.Window(256, 8), "global": True}[order]
start = time.monotonic()
loader = tt.Loader(
    data,
    batch_size=32,
    columns={"number": tt.Number(), "data": tt.Bytes("bin", arrays=True)},
    shuffle=shuffle,
    storage_options=dict(option.split("=", 1) for option in options),
    rank=0,
    world_size=1,
)
first = None
count = 0
size = 0
digest = hashlib.sha256()
numbers = []
for batch in loader:
    if first is None:
        first = time.monotonic() - start
    numbers += batch["number"].tolist()
    for data in batch["data"]:
        size += len(data)
        digest.update(data[:64])
seconds = time.monotonic() - start
json.dump(
    {
        "first_ms": 1000 * first,
        "seconds": seconds,
        "bytes": size,
        "once": sorted(numbers) == list(range(loader.samples)),
        "digest": digest.hexdigest(),
        "order": hashlib.sha256(repr(numbers).encode()).hexdigest(),
    },
    sys.stdout,
)
print()
