"""Ranks that train one small model together, for trying what Trimtab says when one of them is held up.

    trimtab submit -- python ranks.py       # under `trimtab up`; or by itself, beside `trimtab agent`
    kill -STOP PID                          # of a rank, after half a minute; `kill -CONT PID` lets it go on

They fit a plane to points: each takes its own points, and all wait for each other's gradients in every step.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier

import numpy as np
import trimtab as tt

POINTS, COLUMNS = 2_000, 64
RATE = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--steps", type=int, default=100_000, help="how many steps each rank makes")
    parser.add_argument("--wait", type=float, default=0.05, help="seconds that a batch is waited for, as if it came from afar")
    options = parser.parse_args()

    # Started anew, and not forked: a clock belongs to the process that made it.
    start = multiprocessing.get_context("spawn")
    gradients = start.Array(ctypes.c_double, options.ranks * COLUMNS, lock=False)
    together = start.Barrier(options.ranks)
    arguments = (options.ranks, options.steps, options.wait, gradients, together)
    ranks = [start.Process(target=train, args=(rank, *arguments), daemon=True) for rank in range(options.ranks)]
    for rank in ranks:
        rank.start()
    try:
        for rank in ranks:
            rank.join()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        # Also one that was stopped, and would not hear a word.
        for rank in ranks:
            rank.kill()


def train(rank: int, ranks: int, steps: int, wait: float, gradients: ctypes.Array[ctypes.c_double], together: Barrier) -> None:
    """What each rank does, in a process of its own."""
    # Who started it ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # In one piece, so that lines of several ranks do not mix.
    sys.stdout.write(f"rank {rank} is process {os.getpid()}\n")
    sys.stdout.flush()
    shared = np.frombuffer(gradients, dtype=np.float64).reshape(ranks, COLUMNS)
    weights = np.zeros(COLUMNS)
    loss = float("nan")
    clock = tt.StepClock(rank=rank, ranks=ranks)
    for points, values in clock.steps(batches(rank, steps, wait)):
        with clock.forward():
            errors = points @ weights - values
            loss = float(errors @ errors) / POINTS
        with clock.backward():
            shared[rank] = points.T @ errors / POINTS
        with clock.communication():
            together.wait()
            gradient = shared.mean(axis=0)
            # Nobody writes the next before all have read these.
            together.wait()
        with clock.optimizer():
            weights -= RATE * gradient
    clock.close()
    if rank == 0:
        print(f"loss {loss:.6f}\n{clock.summary()}")


def batches(rank: int, steps: int, wait: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Points and their values, each time after a while."""
    random = np.random.default_rng(rank)
    plane = np.linspace(-1.0, 1.0, COLUMNS)
    for _ in range(steps):
        time.sleep(wait)
        points = random.standard_normal((POINTS, COLUMNS))
        yield points, points @ plane


if __name__ == "__main__":
    main()
