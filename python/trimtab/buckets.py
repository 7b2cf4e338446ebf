"""A shuffle that brings samples of similar size together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .window import Window


@dataclass(frozen=True)
class Buckets:
    """Samples of similar size come together, so that little is padded where they are made into one array.

    Samples are shuffled, and cut into windows of ``group`` × ``groups``. Those of a window are sorted by size and cut into groups, and
    the groups come in an order drawn anew for each epoch; within a group, samples are mixed. ``group``: samples of a group; as many as all
    ranks together take in a step, ``world_size`` × ``batch_size``, or a multiple of it. It is told, and not found from these, for the
    order to be the same for any number of ranks. ``groups``: the more, the more similar are sizes in a group, and the farther is an epoch
    from a plain shuffle. ``field``: the field whose bytes are the size, or several, of which the first that a sample has is taken; if
    it is not told, all fields that columns are made from. No field is read for its size: it is what the index tells (of JSON lines, the
    line's; of MDS and tables, the whole sample's, where columns have no fixed size). ``shuffle``: how samples are shuffled before.
    """

    group: int
    groups: int = 64
    field: str | Sequence[str] = ()
    shuffle: bool | Window = True

    def _spec(self) -> dict[str, Any]:
        fields = [self.field] if isinstance(self.field, str) else list(self.field)
        return {"group": self.group, "groups": self.groups, "fields": fields}


def spec_of(shuffle: bool | Window | Buckets) -> dict[str, Any]:
    """What a loader is told of its shuffle."""
    buckets, within = (shuffle._spec(), shuffle.shuffle) if isinstance(shuffle, Buckets) else (None, shuffle)
    plain = within._spec() if isinstance(within, Window) else "global" if within else "none"
    return {"shuffle": plain, "buckets": buckets}
