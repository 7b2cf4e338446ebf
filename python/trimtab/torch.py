"""The loader as torch's DataLoader, and what is built on it, take it. Nothing here imports torch before it is asked for."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loader import Loader

# No epoch was told of yet.
_NONE = -1


def dataset(loader: Loader) -> Any:
    """A ``torch.utils.data.IterableDataset`` of a loader's batches, which are tensors: `Loader.torch` is what people use."""
    return _made(loader, None)


def worker() -> tuple[int, int] | None:
    """Which worker of a DataLoader this process is, and of how many; none where it is none."""
    data = sys.modules.get("torch.utils.data")
    info = None if data is None else data.get_worker_info()
    return None if info is None else (info.id, info.num_workers)


def can_pin(worker: tuple[int, int] | None) -> bool:
    """Whether tensors can be pinned here. A worker does not: it must not touch the device, and what it sends is pinned by its
    DataLoader, if that is told so."""
    if worker is not None:
        return False
    if importlib.import_module("torch").cuda.is_available():
        return True
    warnings.warn("pin_memory=True, and torch finds no CUDA device here: batches are not pinned", RuntimeWarning, stacklevel=4)
    return False


class LoaderDataset:
    """A loader's batches, epoch by epoch, in any number of worker processes.

    Workers are copies of the process that made them, and go when their epoch ends. So that the next ones begin with the next epoch, the
    number of that lies in memory that all of them share.
    """

    def __init__(self, loader: Loader, shared_epoch: Any | None) -> None:
        torch = importlib.import_module("torch")
        if shared_epoch is None:
            shared_epoch = torch.full((1,), _NONE, dtype=torch.int64)
        self.loader = loader
        """The loader that makes the batches."""
        self._shared_epoch = shared_epoch.share_memory_()
        self._was_loaded = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._catch_up()
        self._was_loaded = False
        yield from map(self._handed_out, self.loader)
        if worker() is not None:
            self._shared_epoch[0] = self.loader.state_dict()["epoch"]

    def _handed_out(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        # Before the epoch's last batch goes: whoever has it may look no further, and end the workers.
        if worker() is not None and self.loader._is_at_end():
            self._shared_epoch[0] = self.loader.state_dict()["epoch"] + 1
        return {name: _tensor(column) for name, column in batch.items()}

    def __len__(self) -> int:
        """Batches of a whole epoch, of this rank: all its workers together."""
        return len(self.loader)

    def set_epoch(self, epoch: int) -> None:
        """As `Loader.set_epoch`, for workers too."""
        self.loader.set_epoch(epoch)
        self._shared_epoch[0] = epoch

    def state_dict(self) -> dict[str, Any]:
        """As `Loader.state_dict`: of this process. What workers delivered is known to torchdata's StatefulDataLoader, which asks each
        of them."""
        # A worker is asked between its batches, when others may be at the epoch's end already.
        if worker() is None:
            self._catch_up()
        return self.loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As `Loader.load_state_dict`."""
        self.loader.load_state_dict(state)
        self._was_loaded = True
        # Workers are told each its own state, and one that had no more batches is in the next epoch already.
        if worker() is None:
            self._shared_epoch[0] = int(state["epoch"])

    def _catch_up(self) -> None:
        """Begins the epoch that others have come to, unless where to begin was told."""
        if self._was_loaded:
            return
        told = int(self._shared_epoch[0])
        if told != _NONE and told > self.loader.state_dict()["epoch"]:
            self.loader.set_epoch(told)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _made, (self.loader, self._shared_epoch)


def _made(loader: Loader, shared_epoch: Any | None) -> Any:
    return _dataset_class()(loader, shared_epoch)


def _dataset_class() -> type:
    """The class above as a child of torch's, which DataLoader asks for; made when torch is there."""
    base = importlib.import_module("torch.utils.data").IterableDataset
    return type("LoaderDataset", (LoaderDataset, base), {"__module__": __name__})


def _tensor(column: Any) -> Any:
    """A column as a tensor over the same memory; lists of bytes and text stay what they are."""
    if isinstance(column, list):
        return column
    torch = importlib.import_module("torch")
    return column if isinstance(column, torch.Tensor) else torch.from_dlpack(column)
