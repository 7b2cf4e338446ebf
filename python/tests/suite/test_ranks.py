"""Ranks, as launchers tell of them."""

from __future__ import annotations

import os
import socket
import sys
import types

import pytest
from trimtab import ranks

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "ROLE_NAME": "default", "TORCHELASTIC_RUN_ID": "run"}
SLURM = {
    "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "0", "SLURM_JOB_ID": "77", "SLURMD_NODENAME": "n2",
}  # fmt: skip
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_LOCAL_RANK": "2", "PMIX_NAMESPACE": "prte@1",
}  # fmt: skip
MPICH = {"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "1"}
HERE = socket.gethostname()
LAUNCHER = f"launcher-{os.getppid()}"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (LAUNCHER, 0, 1, None, None, HERE)),
        (TORCHRUN, ("run", 5, 8, 1, None, HERE)),
        (TORCHRUN | {"TORCHELASTIC_RUN_ID": "none", "ROLE_NAME": "actors"}, (LAUNCHER, 5, 8, 1, "actors", HERE)),
        (SLURM, ("77", 3, 4, 0, None, "n2")),
        (TORCHRUN | SLURM | {"TORCHELASTIC_RUN_ID": "none"}, ("77", 5, 8, 1, None, "n2")),
        (OPEN_MPI, ("prte@1", 2, 3, 2, None, HERE)),
        (MPICH, (LAUNCHER, 1, 2, 1, None, HERE)),
        (TORCHRUN | {"TRIMTAB_JOB": "mine", "TRIMTAB_GROUP": "g"}, ("mine", 5, 8, 1, "g", HERE)),
    ],
)
def test_each_launcher_tells_in_its_own_way(environment, expected):
    assert ranks.place(environment) == ranks.Place(*expected)


def test_ray_is_asked_where_it_is_in_use(monkeypatch):
    context = types.SimpleNamespace(
        get_world_rank=lambda: 6, get_world_size=lambda: 9, get_local_rank=lambda: 0, get_experiment_name=lambda: "x"
    )
    monkeypatch.setitem(sys.modules, "ray.train", types.SimpleNamespace(get_context=lambda: context))
    assert ranks.place({"RAY_JOB_ID": "01000000"}) == ranks.Place("01000000", 6, 9, 0, "x", HERE)


def test_what_is_no_rank_is_refused():
    with pytest.raises(ValueError, match="torchrun says RANK='x'"):
        ranks.place(TORCHRUN | {"RANK": "x"})
    assert ranks.place(TORCHRUN | {"LOCAL_RANK": "x"}).local_rank is None
