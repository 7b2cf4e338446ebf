"""How fast bytes come from a store of objects: an ORDER, so many EPOCHS, and the DATA's address; options of the store as NAME=VALUE."""

import hashlib
import json
import sys
import time

import numpy  # noqa: F401 - what arrays are made of is not part of what is measured
import trimtab as tt

order, epochs, data, *options = sys.argv[1:]
shuffle = {"in-order": False, "windowed": tt.Window(32, 8), "global": True}[order]
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
seconds = []
size = 0
digest = hashlib.sha256()
numbers = []
for _ in range(int(epochs)):
    for batch in loader:
        if first is None:
            first = time.monotonic() - start
        numbers += batch["number"].tolist()
        for data in batch["data"]:
            size += len(data)
            digest.update(data[:64])
    seconds.append(time.monotonic() - start - sum(seconds))
each = [sorted(numbers[begin : begin + loader.samples]) for begin in range(0, len(numbers), loader.samples)]
json.dump(
    {
        "first_ms": 1000 * first,
        "seconds": seconds,
        "bytes": size,
        "once": each == [list(range(loader.samples))] * int(epochs),
        "digest": digest.hexdigest(),
        "order": hashlib.sha256(repr(numbers).encode()).hexdigest(),
    },
    sys.stdout,
)
print()
