"""Says what the clock of steps costs on this machine: nanoseconds for each mark, the empty loop taken off.

    python clock_cost.py

Tells nobody unless an agent listens where `TRIMTAB_STEPS` says; both are worth trying.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trimtab as tt
from trimtab import _native

# Of each way to mark, and how often all of that is done. The fastest counts: whatever else runs here only adds, and a round is short
# enough to be left alone now and then.
MARKS = 5_000
ROUNDS = 400


def main() -> None:
    clock = tt.StepClock("clock-cost")

    def nothing() -> None:
        for _ in range(MARKS):
            pass

    def mark() -> None:
        switch = clock.mark
        for _ in range(MARKS // 2):
            switch("forward")
            switch("backward")

    def span() -> None:
        for _ in range(MARKS):
            with clock.forward():
                pass

    def end_step() -> None:
        for _ in range(MARKS):
            clock.end_step()

    def steps() -> None:
        for _ in clock.steps(range(MARKS)):
            pass

    def hook() -> None:
        for _ in range(MARKS):
            with _native.within_step("forward"):
                pass

    ways = {
        "clock.mark(...)": mark,
        "with clock.forward():": span,
        "clock.end_step()": end_step,
        "a step of clock.steps(...)": steps,
        "a hook within a step": hook,
    }
    empty = _nanoseconds(nothing)
    for name, way in ways.items():
        print(f"{name:28}{_nanoseconds(way) - empty:8.0f} ns")
    clock.close()
    print(f"{'once it is closed':28}{_nanoseconds(span) - empty:8.0f} ns")


def _nanoseconds(way: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        way()
        best = min(best, time.perf_counter() - start)
    return best * 1e9 / MARKS


if __name__ == "__main__":
    main()
