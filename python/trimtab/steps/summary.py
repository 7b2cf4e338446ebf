"""What steps took, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Times:
    """What all steps took, or a phase of them, in seconds."""

    total_seconds: float
    """All steps together."""
    mean_seconds: float
    p50_seconds: float
    """Half of the steps that are kept take no longer."""
    p95_seconds: float
    """Nineteen of twenty of those take no longer."""

    def _words(self) -> str:
        return "".join(f"{_time(seconds):>12}" for seconds in (self.mean_seconds, self.p50_seconds, self.p95_seconds))


@dataclass(frozen=True)
class Summary:
    """What a rank's steps took. `str` says it in words."""

    rank: int
    ranks: int
    steps: int
    """All of them."""
    kept: int
    """The last ones, which ``p50_seconds`` and ``p95_seconds`` are of."""
    whole: Times
    phases: Mapping[str, Times]
    """By name; ``other`` is what was in no phase."""

    @staticmethod
    def _of(figures: Mapping[str, Any], rank: int, ranks: int) -> Summary:
        phases = {name: Times(**times) for name, times in figures["phases"]}
        return Summary(rank, ranks, figures["steps"], figures["kept"], Times(**figures["whole"]), phases)

    def share(self, phase: str) -> float:
        """The part of all steps' time that a phase took."""
        return self.phases[phase].total_seconds / self.whole.total_seconds if self.whole.total_seconds else 0.0

    def __str__(self) -> str:
        if self.steps == 0:
            return "no step has ended yet"
        lines = [
            f"{self.steps:,} steps of rank {self.rank} of {self.ranks}: {self.whole.total_seconds:,.1f} s",
            f"  {'':16}{'share':>8}{'mean':>12}{'median':>12}{'95 %':>12}",
            f"  {'step':16}{'':8}{self.whole._words()}",
        ]
        for name, times in self.phases.items():
            if times.total_seconds > 0:
                lines.append(f"  {name:16}{self.share(name):>8.1%}{times._words()}")
        if self.kept < self.steps:
            lines.append(f"  median and 95 % are of the last {self.kept:,} steps")
        return "\n".join(lines)


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1000 * seconds:.2f} ms" if seconds >= 0.001 else f"{1e6 * seconds:.0f} µs"
