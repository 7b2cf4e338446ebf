"""Where a loader's time goes, in figures and in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """Where the time went. Seconds of threads add up over all of them: with two, there are two in a second."""

    seconds: float
    """Since the first batch was asked for."""
    threads: int
    cores: int
    """Cores that this process may use."""
    batches: int
    samples: int
    """Samples that were delivered."""
    failed: int
    """Samples that could not be read."""
    bytes_read: int
    samples_per_second: float
    read_seconds: float
    """Threads: getting bytes from files."""
    make_seconds: float
    """Threads: decoding, resizing, and whatever else makes of bytes what comes out."""
    ahead_seconds: float
    """Threads: waiting until a batch is taken."""
    starved_seconds: float
    """Whoever takes batches: waiting for one."""
    bottleneck: str
    """What holds everything back: consumer, read, make; or unknown, where nothing was delivered yet."""

    def __str__(self) -> str:
        if self.batches == 0:
            return "no batch was taken yet"
        busy = self.threads * self.seconds
        lines = [
            f"{self.samples} samples in {self.batches} batches, {self.samples_per_second:.0f} a second"
            f" ({self.bytes_read / 1e6 / self.seconds:.0f} MB/s read)",
            f"  {self.threads} threads:  read {self.read_seconds / busy:.0%}, make {self.make_seconds / busy:.0%},"
            f" wait for the consumer {self.ahead_seconds / busy:.0%}",
            f"  consumer:   waits for a batch {self.starved_seconds / self.seconds:.0%}"
            f" ({3600 * self.starved_seconds / self.seconds:.0f} s of each hour)",
        ]
        if self.failed:
            lines.append(f"  {self.failed} samples could not be read")
        return "\n".join([*lines, self._advice()])

    def _advice(self) -> str:
        if self.bottleneck == "consumer":
            return "The consumer is what takes time: batches wait for it, and nothing here would make it faster."
        what = {"read": "reading files", "make": "making of them what comes out"}[self.bottleneck]
        if self.threads < self.cores or self.bottleneck == "read":
            return f"What takes time is {what}. Try more threads than {self.threads}."
        return f"What takes time is {what}, on all of the {self.cores} cores: more cores, or less work for each sample."
