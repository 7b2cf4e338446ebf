"""Which rank this process is, and where, as whoever started it tells."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Place:
    """A rank among the others of its job."""

    job: str
    """The same for all ranks of a job, and another for another job of this machine."""
    rank: int
    """Counted from 0."""
    ranks: int
    local_rank: int | None
    """Counted from 0 on each machine; None where nobody tells."""
    group: str | None
    """Ranks of the same group do the same; None where nobody tells of groups."""
    node: str
    """The machine."""


# Names of jobs, by who sets them. torchrun's default is the same for all jobs, and no name.
_JOBS = (
    ("TRIMTAB_JOB", ""),
    ("TORCHELASTIC_RUN_ID", "none"),
    ("SLURM_JOB_ID", ""),
    ("RAY_JOB_ID", ""),
    ("PMIX_NAMESPACE", ""),
)
# torchrun's default is the same for all groups, and no name.
_GROUPS = (("TRIMTAB_GROUP", ""), ("ROLE_NAME", "default"))
# torchrun and Lightning, Slurm, Open MPI, MPICH and Intel MPI.
_LOCAL_RANKS = ("LOCAL_RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID")


def place(environment: Mapping[str, str] | None = None) -> Place:
    """Which rank this is, and where. Ranks that nobody gave a job's name agree on one where one process has started them."""
    environment = os.environ if environment is None else environment
    rank, world = detect(environment)
    return Place(
        job=_first(environment, _JOBS) or f"launcher-{os.getppid()}",
        rank=rank,
        ranks=world,
        local_rank=_local_rank(environment),
        group=_first(environment, _GROUPS) or _ray_says("get_trial_name", "get_experiment_name"),
        node=environment.get("SLURMD_NODENAME") or socket.gethostname(),
    )


def _first(environment: Mapping[str, str], names: tuple[tuple[str, str], ...]) -> str | None:
    """What the first of these tells that is told at all, and is not what it is for everybody."""
    told = (environment.get(name, "") for name, common in names if environment.get(name, "") != common)
    return next((name for name in told if name), None)


def _local_rank(environment: Mapping[str, str]) -> int | None:
    told = next((environment[name] for name in _LOCAL_RANKS if environment.get(name, "").isdigit()), None)
    if told is None:
        told = _ray_says("get_local_rank")
    return None if told is None else int(told)


def _ray_says(*questions: str) -> str | None:
    """What Ray Train answers to the first question that it answers."""
    train = sys.modules.get("ray.train")
    if train is None:
        return None
    for question in questions:
        try:
            answer = getattr(train.get_context(), question)()
        except Exception:  # Outside of a worker, or where it has no such question any more.
            continue
        if answer is not None:
            return str(answer)
    return None


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
