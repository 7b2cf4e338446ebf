"""Which rank this process is, as whoever started it tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# A variable for the rank and one for the number of ranks, by who sets them. Slurm's number of tasks is that of the step: in a
# batch script itself, which is one process, SLURM_NTASKS is set as well.
_VARIABLES = (
    ("torchrun", "RANK", "WORLD_SIZE"),
    ("Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MPICH", "PMI_RANK", "PMI_SIZE"),
)


def detect(environment: Mapping[str, str] | None = None) -> tuple[int, int]:
    """The rank, counted from 0, and how many there are; (0, 1) where nobody tells."""
    environment = os.environ if environment is None else environment
    for who, rank_name, world_name in _VARIABLES:
        rank, world = environment.get(rank_name), environment.get(world_name)
        if rank is None or world is None:
            continue
        try:
            return int(rank), int(world)
        except ValueError:
            raise ValueError(f"{who} says {rank_name}={rank!r} and {world_name}={world!r}: these are no numbers") from None
    return _of_torch() or _of_ray() or (0, 1)


def on_this_machine(environment: Mapping[str, str] | None = None) -> int:
    """How many ranks share this machine; 1 where nobody tells."""
    environment = os.environ if environment is None else environment
    for name in ("LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"):
        told = environment.get(name, "")
        if told.isdigit() and int(told) > 0:
            return int(told)
    return 1


def _of_torch() -> tuple[int, int] | None:
    """What torch's process group says, where there is one: whoever starts processes without variables, such as Lightning, makes it."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed.get_rank(), distributed.get_world_size()


def _of_ray() -> tuple[int, int] | None:
    """What Ray Train says, where it is in use; it is never imported for that."""
    train = sys.modules.get("ray.train")
    if train is None:
        return None
    try:
        context = train.get_context()
        return context.get_world_rank(), context.get_world_size()
    except Exception:  # Outside of a worker, Ray raises one of several errors, by its version.
        return None
