"""How far a loader's process grows past what it was after import: a KIND of columns, what the consumer does, and DATA."""

import json
import sys
import threading
import time

import numpy  # noqa: F401 - what arrays are made of is not part of what is measured
import trimtab as tt

LIMIT = 256 << 20


def resident() -> float:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


def peak() -> float:
    """The largest it ever was since the last reset, as the kernel keeps it: no sample is missed."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    kind, consumer, *data = sys.argv[1:]
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = resident()
    columns, batch_size = {
        "bytes": ({"data": tt.Bytes("bin")}, 4),
        "photographs": ({"image": tt.Image(crop=tt.RandomCrop()), "label": tt.Integer("cls")}, 64),
        "pictures": ({"image": tt.Image()}, 4),
    }[kind]
    loader = tt.Loader(data, batch_size=batch_size, columns=columns, memory_limit=LIMIT, threads=2, prefetch=64)
    watchdog = threading.Timer(300, lambda: sys.exit("no batch came for five minutes"))
    watchdog.daemon = True
    watchdog.start()
    samples = 0
    for number, batch in enumerate(loader):
        samples += len(next(iter(batch.values())))
        if consumer == "stalled" and number == 2:
            time.sleep(5)
        if consumer == "slow":
            time.sleep(0.02)
    json.dump({"grown_mb": peak() - before, "samples": samples}, sys.stdout)
    print()


main()
