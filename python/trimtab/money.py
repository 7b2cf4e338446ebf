"""Money, exactly: in millionths of its currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_PRICE = re.compile(r"\s*([A-Z]{3})\s+(\d+(?:\.\d{1,6})?)\s*")


@dataclass(frozen=True)
class Money:
    """An amount of money. `float` gives it in units of its currency; `str`, as people read it."""

    micros: int
    """Millionths of the currency's unit."""
    currency: str
    """An ISO 4217 code, such as USD."""

    def __float__(self) -> float:
        return self.micros / 1e6

    def __str__(self) -> str:
        units = float(self)
        return f"{self.currency} {units:.2f}" if abs(units) < 100 else f"{self.currency} {units:,.0f}"


def price(told: float | str | None) -> dict[str, Any] | None:
    """A price as it is told, a number of dollars or a text with its currency, in millionths."""
    if told is None:
        return None
    text = told if isinstance(told, str) else f"USD {Decimal(str(told)):f}"
    found = _PRICE.fullmatch(text)
    if not found:
        raise ValueError(
            f"price_per_hour is {told!r}; it is a number of dollars, such as 2.50, or a text with a currency, such as"
            " 'EUR 2.50', with at most six digits after the point"
        )
    return {"micros": int(Decimal(found[2]) * 1_000_000), "currency": found[1]}
