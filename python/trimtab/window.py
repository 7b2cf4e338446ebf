"""A shuffle for files that are read best from front to back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Window:
    """Blocks of neighbours come in an order drawn anew for each epoch, and their samples are mixed with those of some others.

    ``block``: samples that lie behind each other and stay near each other; ``blocks``: how many blocks are mixed.
    """

    block: int = 1000
    blocks: int = 16

    def _spec(self) -> dict[str, Any]:
        return {"windowed": {"block": self.block, "blocks": self.blocks}}
