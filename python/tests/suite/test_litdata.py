"""Chunks as LitData itself writes them, read here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimtab as tt
from test_formats import read

litdata = pytest.importorskip("litdata", reason="litdata is not installed")


def written(folder: Path, items: list[Any], **options: Any) -> Path:
    """Writes items as the library's `optimize` does in each of its workers."""
    cache = litdata.streaming.cache.Cache(str(folder), chunk_size=options.pop("chunk_size", 4), **options)
    for number, item in enumerate(items):
        cache[number] = item
    cache.done()
    cache.merge()
    return folder


def samples(count: int = 10) -> list[dict[str, Any]]:
    import torch

    return [
        {
            "class": number - 3,
            "weight": number / 7,
            "right": number % 2 == 0,
            "text": f"text {number}",
            "raw": bytes([number]) * number,
            "vector": np.arange(number, dtype=np.int32),
            "matrix": np.arange(6, dtype=np.float32).reshape(2, 3) + number,
            "tensor": torch.full((2, 2), float(number), dtype=torch.float64),
            "secret": {number, "x"},
            "nested": {"pair": (number, "x")},
        }
        for number in range(count)
    ]


COLUMNS = {
    "class": tt.Integer("class"),
    "weight": tt.Text("weight"),
    "right": tt.Integer("right"),
    "text": tt.Text("text"),
    "raw": tt.Bytes("raw"),
    "vector": tt.Bytes("vector"),
    "matrix": tt.Bytes("matrix"),
    "tensor": tt.Bytes("tensor"),
    "first": tt.Integer("nested.pair.0"),
    "second": tt.Text("nested.pair.1"),
}


@pytest.mark.parametrize("packing", [None, "chunk", "batch", "sample"])
def test_what_it_writes_is_read(tmp_path, packing):
    options = {} if packing is None else {"compression": "zstd", "compression_level": packing}
    if packing is not None:
        from litdata.streaming.compression import _COMPRESSORS

        if not _COMPRESSORS:
            pytest.skip("zstd is not installed, by which litdata compresses")
    data = written(tmp_path / "data", samples(), **options)
    config = json.loads((data / "index.json").read_text())["config"]
    assert (config["compression"] is None) == (packing is None)
    got = read(data, COLUMNS, cache_dir=tmp_path / "cache")
    assert len(got) == 10
    for number, sample in enumerate(got):
        values = dict(zip(COLUMNS, sample, strict=True))
        assert (values["class"], values["right"], values["text"]) == (number - 3, number % 2 == 0, f"text {number}")
        assert float(values["weight"]) == number / 7 and values["raw"] == bytes([number]) * number
        np.testing.assert_array_equal(np.frombuffer(values["vector"], np.int32), np.arange(number))
        np.testing.assert_array_equal(np.frombuffer(values["matrix"], np.float32), np.arange(6) + number)
        np.testing.assert_array_equal(np.frombuffer(values["tensor"], np.float64), np.full(4, number))
        assert (values["first"], values["second"]) == (number, "x")


def test_pickles_are_refused_by_name(tmp_path):
    data = written(tmp_path / "data", samples())
    with pytest.raises(ValueError, match="its field secret is stored by LitData's serializer pickle: pickle is never read"):
        read(data, {"secret": tt.Bytes("secret")})
    with pytest.raises(ValueError, match=r"its fields are class, weight.*not read are secret \(pickle\)"):
        read(data, {"other": tt.Bytes("other")})


def test_rows_that_it_keeps_as_tables(tmp_path):
    rows = [{"text": f"text {number}", "id": number, "parts": ["a"] * number} for number in range(10)]
    data = written(tmp_path / "data", rows)
    got = read(
        data, {"text": tt.Text("text"), "id": tt.Integer("id"), "parts": tt.Text("parts")}, cache_dir=tmp_path / "cache"
    )
    assert [(text, number, json.loads(parts)) for text, number, parts in got] == [
        (row["text"], row["id"], row["parts"]) for row in rows
    ]


def test_tokens_come_as_its_own_loader_cuts_them(tmp_path):
    import torch

    texts = [torch.arange(100 * number, 100 * number + 10 + number, dtype=torch.int32) for number in range(10)]
    tokens = litdata.streaming.item_loader.TokensLoader(block_size=4)
    data = written(tmp_path / "data", texts, chunk_size=40, item_loader=tokens)
    expected = litdata.StreamingDataset(str(data), item_loader=tokens, shuffle=False)
    got = read(data, {"tokens": tt.Tokens(4, dtype="int32")})
    assert len(got) == len(expected) > 20
    for (sample,), other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(sample, other.numpy())
    with pytest.raises(tt.DataError, match="its tokens are int32, and uint16 was asked for"):
        read(data, {"tokens": tt.Tokens(4)})
    with pytest.raises(tt.DataError, match="ask for them as tokens"):
        read(data, {"text": tt.Bytes()})
