"""Documents for language models: tokens, and the rows that a batch of documents is laid into."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Padded:
    """A document a row; what is behind its end is padding.

    The column is int64 of shape (samples, width), and beside it is ``<column>_lengths``, int64 of shape (samples,): how many tokens
    each document has. ``to``: whether rows are as long as the longest document of their batch, or all ``length``.
    ``pad_to_multiple_of``: the width is a multiple of this, and so is ``length``. ``overlong``: whether a document with more than
    ``length`` tokens loses what is behind them, or is an error.
    """

    to: Literal["longest", "length"] = "longest"
    pad_to_multiple_of: int = 1
    overlong: Literal["truncate", "refuse"] = "truncate"

    def _spec(self) -> dict[str, Any]:
        return {"padded": {"to": self.to, "multiple_of": self.pad_to_multiple_of}}


@dataclass(frozen=True)
class Packed:
    """As many of a batch's documents in a row as there is room for: best fit, the longest first. No document lies in two batches.

    The column is int64 of shape (rows, length), and beside it are ``<column>_segments``, int32: the document's number in its row,
    from 1 on, and 0 where there is padding; and ``<column>_positions``, int64: the token's place in its document, from 0 on. Rows
    follow the order of samples by their first documents. ``overlong``: whether a document with more than ``length`` tokens is cut into
    several rows, each part with segments and positions of its own, loses what is behind them, or is an error.
    ``rows``: rows of each batch; unless it is told, as many as its documents take, which differs from batch to batch. A document for
    which ``rows`` have no room is an error, or left out and counted with ``on_error="skip"``. ``cu_seqlens``: whether there is
    ``<column>_cu_seqlens``, int32, as the functions of flash-attention for lengths that vary take it: where documents begin and end
    in all rows, one behind the other; the padding of a row counts as one.
    """

    overlong: Literal["split", "truncate", "refuse"] = "split"
    rows: int | None = None
    cu_seqlens: bool = False

    def _spec(self) -> dict[str, Any]:
        return {"packed": {"rows": self.rows, "cu_seqlens": self.cu_seqlens}}


@dataclass(frozen=True)
class Sequences:
    """A field as tokens, a document for each sample, in rows of ``length`` tokens at most.

    ``field``: the field's name, or several, of which the first that a sample has is taken; without one, a line of text as a whole.
    ``tokenizer``: the file of a tokenizer as Hugging Face saves it (``tokenizer.json``), where the field is text. ``dtype``: how
    tokens are stored, where the field is a list of them: in tables least byte first, without anything between; in JSON lines it is a
    list, whatever ``dtype`` says. ``add_special_tokens``: whether those are added that the tokenizer's file says a text begins and
    ends with. ``eos``: a token, by its number or its text, behind each document; of a truncated one it is cut off with the rest.
    ``pad``: what stands where no document does. ``layout``: `Padded` or `Packed`.
    """

    field: str | Sequence[str] = "text"
    length: int = 2048
    tokenizer: str | os.PathLike[str] | None = None
    dtype: Literal["uint16", "uint32", "int32", "int64"] | None = None
    add_special_tokens: bool = False
    eos: int | str | None = None
    pad: int | str = 0
    layout: Padded | Packed = Padded()

    def __post_init__(self) -> None:
        if (self.tokenizer is None) == (self.dtype is None):
            raise ValueError(
                "either tokenizer is told, the path of a tokenizer.json, for a field of text; or dtype, for a field of tokens"
            )
        if self.tokenizer is None and self.add_special_tokens:
            raise ValueError("add_special_tokens is what a tokenizer does: tokens that are stored have theirs already")

    def _spec(self) -> dict[str, Any]:
        if self.tokenizer is None:
            source: dict[str, Any] = {"stored": {"dtype": self.dtype}}
        else:
            tokenizer = {"tokenizer": os.fspath(self.tokenizer), "special_tokens": self.add_special_tokens}
            source = {"text": tokenizer}
        sequences = {
            "length": self.length,
            "source": source,
            "end": self.eos,
            "pad": self.pad,
            "overlong": self.layout.overlong,
            "layout": self.layout._spec(),
        }
        fields = [self.field] if isinstance(self.field, str) else list(self.field)
        return {"fields": fields, "kind": {"sequences": sequences}}
