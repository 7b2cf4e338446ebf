"""How much a loop does for each core-second, of this process and its children."""

import json
import os
import resource
import sys
import time


def _children() -> list[int]:
    """The processes that this one has started and that still run."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(process) for process in file.read().split()]


def _seconds_of(process: int) -> float:
    """User and system time of a running process."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core_seconds() -> float:
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total + sum(map(_seconds_of, _children()))


def measure(epoch) -> None:
    """Runs `epoch` twice and prints what the second took; `epoch` returns how many things it was given."""
    epoch()
    core, wall = core_seconds(), time.monotonic()
    count = epoch()
    core, wall = core_seconds() - core, time.monotonic() - wall
    json.dump({"count": count, "core_seconds": core, "wall_seconds": wall}, sys.stdout)
    print()
