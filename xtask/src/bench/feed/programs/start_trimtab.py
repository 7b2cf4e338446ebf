"""How long a loader takes to its first batch, and then when it is resumed far on: a FILE of tokens."""

import json
import sys
import time

import numpy  # noqa: F401 - what arrays are made of is not part of what is measured
import trimtab as tt


def loader() -> tt.Loader:
    return tt.Loader(sys.argv[1], batch_size=64, columns={"tokens": tt.Tokens(8)}, threads=2, rank=0, world_size=1)


start = time.monotonic()
first = loader()
next(iter(first))
first_ms = 1000 * (time.monotonic() - start)
state = first.state_dict() | {"consumed": first.samples // 3 * 2, "epoch": 5}
start = time.monotonic()
resumed = loader()
resumed.load_state_dict(state)
next(iter(resumed))
resumed_ms = 1000 * (time.monotonic() - start)
with open("/proc/self/status") as status:
    rss = next(line for line in status if line.startswith("VmHWM"))
print(json.dumps({"first_ms": first_ms, "resumed_ms": resumed_ms, "rss_mb": int(rss.split()[1]) / 1000}))
