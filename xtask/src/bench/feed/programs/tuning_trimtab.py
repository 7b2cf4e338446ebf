"""A loader under a load that is told as JSON: how fast it is once it has run for a while, and what it says of itself.

Told are: `data`; `batch_size`; `kind` of columns (photographs or tokens), `size` of photographs; `options` of the loader; `transform_ms` of each
sample and `consumer_ms` of each batch, where these are slow; `disk` (what passes before each read in microseconds, bytes a second),
where that is, by slow_disk.c; `cores` to run on; `warm` seconds before the rate is measured, or `warm_epochs`, for `measure` seconds.
"""

import ctypes
import json
import os
import sys
import time

told = json.loads(sys.argv[1])
if told.get("cores"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: told["cores"]])

import trimtab as tt  # noqa: E402 - what it may use is looked at when it is asked

SIZE = told.get("size", 224)
COLUMNS = {
    "photographs": {"image": tt.Image(size=SIZE, crop=tt.RandomCrop(), flip=0.5), "label": tt.Integer("cls")},
    "tokens": {"tokens": tt.Tokens(64)},
}


def slow(sample):
    time.sleep(told["transform_ms"] / 1000)
    return sample


def slow_disk(latency_us, bytes_per_second):
    shim = ctypes.CDLL(None)
    shim.slow_disk(ctypes.c_int64(latency_us), ctypes.c_int64(bytes_per_second))


def batches(loader):
    epoch = 0
    while True:
        for batch in loader:
            yield epoch, batch
        epoch += 1


loader = tt.Loader(
    told["data"],
    batch_size=told["batch_size"],
    columns=COLUMNS[told["kind"]],
    transform=tt.Transform(slow, workers=told.get("workers")) if told.get("transform_ms") else None,
    rank=0,
    world_size=1,
    **{"decoded_cache": 0} | told.get("options", {}),
)
if told.get("disk"):
    slow_disk(*told["disk"])
begin = time.monotonic()
start = samples = None
for epoch, batch in batches(loader):
    now = time.monotonic()
    if start is not None:
        samples += len(next(iter(batch.values())))
        if now - start >= told["measure"]:
            break
    elif now - begin >= told.get("warm", 0) and epoch >= told.get("warm_epochs", 0):
        start, samples = now, 0
    if told.get("consumer_ms"):
        time.sleep(told["consumer_ms"] / 1000)
report = loader.report()
json.dump(
    {
        "rate": samples / (now - start),
        "bottleneck": report.bottleneck,
        "without_bottleneck": report.recent.prediction.without_bottleneck,
        "another_core": report.recent.prediction.another_core,
        "decoded_cache": report.recent.prediction.decoded_cache,
        "threads": report.threads,
        "prefetch": report.prefetch,
        "requests": report.store.under_way_max if report.store else None,
        "workers": report.transform.workers if report.transform else None,
    },
    sys.stdout,
)
print()
sys.stdout.flush()
# Threads that wait for something slow are not waited for.
os._exit(0)
