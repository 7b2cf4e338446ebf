"""Loaders that answer on a socket with their reports: where it is, and what becomes of it in copies of the process."""

from __future__ import annotations

import atexit
import os
import warnings
import weakref
from multiprocessing.util import Finalize
from pathlib import Path

from . import _native

FOLDER = "TRIMTAB_METRICS_DIR"
"""The environment's name for a folder in which each loader is to answer."""

_serving: weakref.WeakSet[_native.Loader] = weakref.WeakSet()
# The process that was told to remove what is left.
_ends_with: int | None = None


def begin(native: _native.Loader, told: bool | str | os.PathLike[str] | None, is_copy: bool) -> str | None:
    """Has a loader answer as it was told; the socket's path, or none where it does not.

    A socket of a name of its own is the first process's: copies of the loader (forked, pickled) answer beside it, with their
    process's number in the name. Where the place was not told for this very loader, that it cannot be had is a warning.
    """
    place = _place(told)
    if place is None:
        return None
    is_own = not isinstance(told, (bool, type(None)))
    if is_own and is_copy and place.endswith(".sock"):
        socket = Path(place)
        place = str(socket.with_name(f"{socket.stem}-{os.getpid()}.sock"))
    try:
        path = native.serve(place)
    except ValueError as error:
        if is_own and not is_copy:
            raise
        warnings.warn(f"the loader does not answer: {error}", RuntimeWarning, stacklevel=4)
        return None
    _serving.add(native)
    _end_with_process()
    return path


def _place(told: bool | str | os.PathLike[str] | None) -> str | None:
    if told is None:
        return os.environ.get(FOLDER) or None
    if isinstance(told, bool):
        return _native.metrics_folder() if told else None
    return os.fspath(told)


def _in_forked_process() -> None:
    _native.go_on()
    # Else clients of a parent that has died would wait for ever.
    for native in list(_serving):
        native.close_copy()
    _serving.clear()


def _end_with_process() -> None:
    """Has sockets removed when a worker of multiprocessing, and so of torch, ends: without what is registered with atexit."""
    global _ends_with
    if _ends_with != os.getpid():
        Finalize(None, _at_end, exitpriority=0)
        _ends_with = os.getpid()


def _at_end() -> None:
    # What is left at the end of a process is not always let go of.
    for native in list(_serving):
        native.stop_serving()


# A report takes locks of its loader, and a process must not be forked meanwhile: its copy would have them locked for ever.
os.register_at_fork(before=_native.hold_still, after_in_parent=_native.go_on, after_in_child=_in_forked_process)
atexit.register(_at_end)
