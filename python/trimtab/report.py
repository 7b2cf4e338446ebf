"""Where a loader's time goes, in figures and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .money import Money


@dataclass(frozen=True)
class Prediction:
    """Samples a second, each where one thing were different and all else as it is; None where that is not known."""

    without_bottleneck: float | None
    """If what holds the loader back took no time."""
    another_core: float | None
    more_memory: float | None
    """With so much memory that threads never wait for any; None where they do not."""
    decoded_cache: float | None
    """With all images kept decoded, which takes `decoded_bytes`."""
    decoded_bytes: float | None


@dataclass(frozen=True)
class Recent:
    """What is said of the last seconds alone."""

    seconds: float
    samples_per_second: float
    bytes_per_second: float
    starved: float
    """The part of its time that whoever takes batches waited for one."""
    read_seconds: float
    make_seconds: float
    decode_seconds: float
    fetch_seconds: float
    memory_seconds: float
    ahead_seconds: float
    bottleneck: str
    """What holds everything back: consumer, transform, network, disk, decode; or unknown, where nothing was delivered yet."""
    prediction: Prediction


@dataclass(frozen=True)
class Memory:
    """Bytes of memory."""

    limit: int
    batches: int
    """Those that are made, and those that are still referred to."""
    batches_limit: int
    fetched: int
    """What came from a store and is not used yet."""
    decoded: int
    """Images that are kept decoded."""


@dataclass(frozen=True)
class Store:
    """What a store of objects was asked."""

    requests: int
    retries: int
    throttled: int
    """Times that it said that it is asked too often."""
    bytes: int
    under_way_max: int
    """Requests that may be under way at once, now."""


@dataclass(frozen=True)
class Cache:
    """What was kept on this machine."""

    read_bytes: int
    written_bytes: int
    unwritten: int
    """Blocks for which there was no room."""
    damaged: int
    """Blocks that were damaged, and removed."""


@dataclass(frozen=True)
class SourceCount:
    """What came of one source of a `Mix`."""

    name: str
    share: float
    """Of all samples in the long run, as its weight says: 0 to 1."""
    samples: int
    """Samples of it that were delivered here."""
    passes: float
    """How often all of it came, to all ranks together and since the first epoch: 1.5 is once, and half of it once more."""


@dataclass(frozen=True)
class Documents:
    """What became of the documents of `Sequences`, in all batches that were made, those that are ahead among them."""

    documents: int
    truncated: int
    """Documents that were longer than a row, and lost what was behind it."""
    tokens: int
    rows: int
    padding: float
    """The share of the rows that is padding: 0 to 1."""


@dataclass(frozen=True)
class Transforming:
    """The stage of functions of Python."""

    workers: int
    """How many may work at once, now."""
    samples: int
    busy_seconds: float
    """Of all workers."""
    starved_seconds: float
    """Whoever takes batches: waiting for one of the stage's."""


@dataclass(frozen=True)
class Report:
    """Where the time went. Seconds of threads add up over all of them: with two, there are two in a second."""

    version: int
    """Of what is written here: 1."""
    data: str
    """What is read: a name, and how many more there are."""
    rank: int
    world_size: int
    price_per_hour: Money | None
    """What an hour costs of all that waits while whoever takes batches does; None unless it was told."""
    seconds: float
    """Since the first batch was asked for."""
    threads: int
    """That make batches, now."""
    prefetch: int
    """Batches that are made ahead, at most, now."""
    ready: int
    """Batches that are made, and not taken."""
    cores: int
    """Cores that this process may use."""
    batches: int
    samples: int
    """Samples that were delivered."""
    failed: int
    """Samples that could not be read."""
    bytes_read: int
    read_seconds: float
    """Threads: getting bytes from files."""
    make_seconds: float
    """Threads: decoding, resizing, and whatever else makes of bytes what comes out."""
    decode_seconds: float
    """Threads: of that, decoding images."""
    fetch_seconds: float
    """Threads: waiting for what was asked of a store."""
    memory_seconds: float
    """Threads: waiting for memory, which batches have that are still referred to."""
    ahead_seconds: float
    """Threads: waiting until a batch is taken."""
    starved_seconds: float
    """Whoever takes the loader's batches: waiting for one. Where there is a transform, that is the transform."""
    recent: Recent
    memory: Memory
    store: Store | None
    cache: Cache | None
    sequences: Documents | None
    """What became of documents; None where there are none."""
    transform: Transforming | None
    stall_cost_per_hour: Money | None
    """What the waiting costs in an hour, as in the last seconds; None where no price was told."""
    sources: tuple[SourceCount, ...] = ()
    """Those of a `Mix`."""

    @property
    def bottleneck(self) -> str:
        """What holds everything back now: consumer, transform, network, disk, decode; or unknown, where nothing was delivered yet."""
        return self.recent.bottleneck

    def to_json(self) -> str:
        """As `trimtab feed explain` reads it."""
        return json.dumps(asdict(self))

    @property
    def samples_per_second(self) -> float:
        """Samples that were delivered in a second, since the first batch was asked for."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        if self.batches == 0:
            return "no batch was taken yet"
        recent = self.recent
        lines = [
            f"{self.samples:,} samples in {self.batches:,} batches, {self.samples_per_second:,.0f} a second",
            f"  in the last {recent.seconds:.0f} s: {recent.samples_per_second:,.0f} a second,"
            f" {_amount(recent.bytes_per_second)}/s read; the consumer waited {recent.starved:.0%} of the time"
            f" ({3600 * recent.starved:.0f} s of each hour{self._cost()})",
            f"  {self.threads} threads: {self._shares()}",
            f"  memory: {_amount(self.memory.batches)} of {_amount(self.memory.batches_limit)} for batches"
            + (f", {_amount(self.memory.decoded)} decoded" if self.memory.decoded else "")
            + f"; {self.prefetch} batches are made ahead",
        ]
        if self.store:
            lines.append(
                f"  store: {self.store.requests:,} requests, up to {self.store.under_way_max} at once,"
                f" {_amount(self.store.bytes)}"
                + (f"; {self.store.retries:,} sent again" if self.store.retries else "")
            )
        if self.cache:
            lines.append(
                f"  cache: {_amount(self.cache.read_bytes)} read, {_amount(self.cache.written_bytes)} written"
                + (f"; no room for {self.cache.unwritten:,} blocks" if self.cache.unwritten else "")
                + (f"; {self.cache.damaged:,} blocks were damaged" if self.cache.damaged else "")
            )
        for source in self.sources:
            lines.append(
                f"  source {source.name}: {source.samples:,} samples ({source.samples / max(self.samples, 1):.1%},"
                f" {source.share:.1%} in the long run), {source.passes:.2f} times through"
            )
        if self.sequences:
            documents = self.sequences
            lines.append(
                f"  {documents.documents:,} documents: {documents.tokens:,} tokens in {documents.rows:,} rows,"
                f" {documents.padding:.1%} of which is padding"
                + (f"; {documents.truncated:,} were truncated" if documents.truncated else "")
            )
        if self.transform:
            each = self.transform.busy_seconds / max(self.transform.samples, 1)
            lines.append(f"  transform: up to {self.transform.workers} workers, {1000 * each:.1f} ms for each sample")
        if self.failed:
            lines.append(f"  {self.failed:,} samples could not be read")
        return "\n".join([*lines, *self._advice()])

    def _cost(self) -> str:
        if self.stall_cost_per_hour is None:
            return ""
        return f", {self.stall_cost_per_hour} of {self.price_per_hour}"

    def _shares(self) -> str:
        parts = {
            "read": self.read_seconds,
            "decode": self.decode_seconds,
            "make": self.make_seconds - self.decode_seconds,
            "wait for the store": self.fetch_seconds,
            "wait for memory": self.memory_seconds,
            "wait for the consumer": self.ahead_seconds,
        }
        total = sum(parts.values()) or 1.0
        return ", ".join(f"{name} {part / total:.0%}" for name, part in parts.items() if part / total >= 0.005)

    def _advice(self) -> list[str]:
        lines = self._of_bottleneck()
        prediction, rate = self.recent.prediction, self.recent.samples_per_second
        if self.bottleneck != "consumer" and _is_more(prediction.more_memory, rate):
            lines.append(f"  Threads wait for memory: with more memory_limit, {_times(prediction.more_memory, rate)}.")
        return lines

    def _of_bottleneck(self) -> list[str]:
        prediction, rate = self.recent.prediction, self.recent.samples_per_second
        faster = f"; without that it would be {_times(prediction.without_bottleneck, rate)}"
        faster = faster if _is_more(prediction.without_bottleneck, rate) else ""
        if self.bottleneck == "consumer":
            lines = ["The consumer is what takes time: batches wait for it, and nothing here would make it faster."]
            if _is_more(prediction.without_bottleneck, rate):
                lines.append(f"  The loader could deliver {prediction.without_bottleneck:,.0f} samples a second.")
            return lines
        if self.bottleneck == "transform":
            return [
                f"What takes time is the transform{faster}.",
                "  If it computes in Python itself, Transform(..., within='processes') lets it use more cores.",
            ]
        if self.bottleneck == "network":
            return [
                f"What takes time is the store of objects{faster}.",
                "  A cache_dir on a fast disk spares it from the second epoch on; or read from a store that is nearer.",
            ]
        if self.bottleneck == "disk":
            return [
                f"What takes time is reading files{faster}.",
                "  Put them on a faster disk, or let more threads read, if their number is pinned.",
            ]
        lines = [f"What takes time is making of bytes what comes out, on {min(self.threads, self.cores)} cores{faster}."]
        if self.threads < self.cores:
            lines.append(f"  There are {self.cores} cores, and {self.threads} threads: leave threads out, or give more.")
        if _is_more(prediction.another_core, rate):
            lines.append(f"  One more core: {_times(prediction.another_core, rate)}.")
        if _is_more(prediction.decoded_cache, rate) and prediction.decoded_bytes:
            lines.append(
                f"  decoded_cache={prediction.decoded_bytes:.0f} ({_amount(prediction.decoded_bytes)}):"
                f" {_times(prediction.decoded_cache, rate)} from the second epoch on."
            )
        return lines


def of(told: Mapping[str, Any]) -> Report:
    """A report, from what the loader tells."""
    recent = dict(told["recent"])
    recent["prediction"] = Prediction(**recent["prediction"])
    kinds = {
        "price_per_hour": Money,
        "memory": Memory,
        "store": Store,
        "cache": Cache,
        "transform": Transforming,
        "stall_cost_per_hour": Money,
        "sequences": Documents,
    }
    parts = {name: kind(**told[name]) if told[name] else None for name, kind in kinds.items()}
    sources = tuple(SourceCount(**source) for source in told["sources"])
    return Report(**{**told, "recent": Recent(**recent), "sources": sources, **parts})


def _is_more(rate: float | None, than: float) -> bool:
    return rate is not None and rate > 1.05 * than


def _times(rate: float | None, than: float) -> str:
    return f"{(rate or 0) / than:.1f} times as fast" if than > 0 else "faster"


def _amount(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.5 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
