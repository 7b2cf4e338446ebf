"""Files of all kinds, as those who write them write them, and what is said of broken ones."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import trimtab as tt
from conftest import write_tar


def read(data, columns, **options) -> list:
    """The columns of all samples, in the order in which they lie."""
    options = {"batch_size": 3, "shuffle": False, "threads": 2} | options
    samples = []
    for batch in tt.Loader(data, columns=columns, **options):
        samples += list(zip(*batch.values(), strict=True))
    return samples


def write_mds(folder: Path, shards: list[list[dict[str, bytes]]], encodings: dict[str, tuple[str, int | None]]) -> Path:
    """Writes shards as MosaicML's streaming library does: sizes of variable columns, then all columns."""
    folder.mkdir()
    entries = []
    for number, samples in enumerate(shards):
        made = []
        for sample in samples:
            sizes = [len(sample[name]) for name, (_, size) in encodings.items() if size is None]
            made.append(struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(sample[name] for name in encodings))
        begin = 4 + 4 * (len(made) + 1)
        offsets = np.cumsum([begin, *map(len, made)]).astype("<u4")
        data = struct.pack("<I", len(made)) + offsets.tobytes() + b"".join(made)
        name = f"shard.{number:05}.mds"
        (folder / name).write_bytes(data)
        entries.append(
            {
                "column_encodings": [encoding for encoding, _ in encodings.values()],
                "column_names": list(encodings),
                "column_sizes": [size for _, size in encodings.values()],
                "compression": None,
                "format": "mds",
                "hashes": [],
                "raw_data": {"basename": name, "bytes": len(data), "hashes": {}},
                "samples": len(made),
                "size_limit": 67108864,
                "version": 2,
                "zip_data": None,
            }
        )
    (folder / "index.json").write_text(json.dumps({"shards": entries, "version": 2}))
    return folder


@pytest.fixture()
def mds(tmp_path: Path) -> Path:
    samples = [{"text": f"text {number}".encode(), "id": struct.pack("<q", -number)} for number in range(10)]
    return write_mds(tmp_path / "mds", [samples[:4], samples[4:]], {"text": ("str", None), "id": ("int", 8)})


def test_mds(mds):
    expected = [(f"text {number}", -number) for number in range(10)]
    assert read(mds, {"text": tt.Text("text"), "id": tt.Integer("id")}) == expected
    assert read(mds / "index.json", {"text": tt.Text("text"), "id": tt.Integer("id")}) == expected
    with pytest.raises(tt.DataError, match="sample 0: it has no field words"):
        read(mds, {"text": tt.Text("words")})


def test_an_index_of_other_files_is_refused(mds):
    shard = mds / "shard.00001.mds"
    data = shard.read_bytes()
    shard.write_bytes(data + b"x")
    with pytest.raises(tt.DataError, match="index of other files"):
        read(mds, {"text": tt.Text("text")})
    shard.write_bytes(struct.pack("<I", 7) + data[4:])
    with pytest.raises(tt.DataError, match="has 7 samples, and the index says 6"):
        read(mds, {"text": tt.Text("text")})
    shard.write_bytes(data[:8] + struct.pack("<I", 4_000_000_000) + data[12:])
    with pytest.raises(tt.DataError, match="shard.00001.mds: sample 0: .*ends before it begins, or past the file"):
        read(mds, {"text": tt.Text("text")})
    shard.unlink()
    with pytest.raises(tt.DataError, match="shard.00001.mds: failed to open"):
        read(mds, {"text": tt.Text("text")})
    index = json.loads((mds / "index.json").read_text())
    index["shards"][0]["raw_data"]["basename"] = "../../etc/passwd"
    (mds / "index.json").write_text(json.dumps(index))
    with pytest.raises(tt.DataError, match="does not lie in the folder"):
        read(mds, {"text": tt.Text("text")})
    index["shards"][0] |= {"compression": "br", "raw_data": {**index["shards"][1]["raw_data"], "basename": "missing.mds"}}
    (mds / "index.json").write_text(json.dumps(index))
    with pytest.raises(tt.DataError, match="missing.mds is compressed by br; zstd and gz are read"):
        read(mds, {"text": tt.Text("text")})
    (mds / "index.json").write_text("{}")
    with pytest.raises(tt.DataError, match="index.json: missing field"):
        read(mds, {"text": tt.Text("text")})


def test_lines(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("one\n\ntwo\r\nthree")
    assert read(text, {"line": tt.Text()}) == [("one",), ("two",), ("three",)]
    objects = tmp_path / "b.jsonl"
    objects.write_text('{"text": "a\\nb", "label": 3}\n{"label": 4, "text": "\\u00e9"}\n')
    columns = {"text": tt.Text("text"), "label": tt.Integer("label")}
    assert read(objects, columns) == [("a\nb", 3), ("é", 4)]
    assert read(objects, {"line": tt.Bytes()})[0] == (b'{"text": "a\\nb", "label": 3}',)
    objects.write_text('{"text": "a"}\nnothing\n')
    with pytest.raises(tt.DataError, match="b.jsonl: the line at byte 14: the line is no JSON object"):
        read(objects, {"text": tt.Text("text")})


def test_what_is_no_text_is_named_and_raised_or_left_out(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntw\xff\nthree\n")
    with pytest.raises(tt.DataError, match="a.txt: the line at byte 4: it is no text in UTF-8 from byte 2 on"):
        read(path, {"line": tt.Text()})
    with pytest.warns(RuntimeWarning, match="a.txt"):
        assert read(path, {"line": tt.Text()}, on_error="skip") == [("one",), ("three",)]
    assert read(path, {"line": tt.Bytes()})[1] == (b"tw\xff",)


def test_folders_of_images(tmp_path):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for name, made, options in [
        ("cat/1.png", PIL.Image.fromarray(pixels), {}),
        ("cat/2.webp", PIL.Image.fromarray(pixels), {"lossless": True}),
        ("dog/1.png", PIL.Image.fromarray(pixels[..., 0]), {}),
        ("dog/2.PNG", PIL.Image.fromarray(np.dstack([pixels, pixels[..., :1]]), "RGBA"), {}),
        ("dog/3.png", PIL.Image.fromarray(pixels).quantize(16), {}),
        ("dog/4.jpg", PIL.Image.fromarray(pixels), {"quality": 95}),
    ]:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(path, **options)
    columns = {"image": tt.Image(size=(40, 50)), "label": tt.Integer("cls")}
    samples = read(tmp_path / "images", columns)
    assert [label for _, label in samples] == [0, 0, 1, 1, 1, 1]
    paths = sorted(path for path in (tmp_path / "images").rglob("*") if path.is_file())
    for (image, _), path in zip(samples, paths, strict=True):
        expected = PIL.Image.open(path).convert("RGB").resize((50, 40), PIL.Image.Resampling.BILINEAR)
        error = image.transpose(1, 2, 0) * 255 - np.asarray(expected, dtype=np.float32)
        assert np.abs(error).max() < (1.0 if path.suffix != ".jpg" else 8), path
    (tmp_path / "images/dog/5.png").write_bytes((tmp_path / "images/dog/1.png").read_bytes()[:60])
    with pytest.raises(tt.DataError, match="dog/5.png: the PNG cannot be decoded"):
        read(tmp_path / "images", columns)


def test_images_that_claim_too_much_are_refused_before_there_is_room(tmp_path):
    def png(width: int, height: int) -> bytes:
        import zlib

        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        data = zlib.compress(b"")
        return (
            b"\x89PNG\r\n\x1a\n"
            + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
            + struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
        )

    buffer = io.BytesIO()
    PIL.Image.new("RGB", (64, 64)).save(buffer, "JPEG")
    jpeg = buffer.getvalue()
    frame = jpeg.index(b"\xff\xc0")
    huge = jpeg[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 9 :]
    for name, data in [("a.png", png(100_000, 100_000)), ("b.jpg", huge)]:
        path = write_tar(tmp_path / "huge.tar", {name: data})
        with pytest.raises(tt.DataError, match="claims .* pixels; at most 178956970 are allowed"):
            read(path, {"image": tt.Image(size=8)})


def test_megatron(tmp_path):
    tokens = np.arange(100, dtype=np.int32) * 1000 - 7
    lengths = [30, 50, 20]
    (tmp_path / "text_document.bin").write_bytes(tokens.tobytes())
    pointers = 4 * np.cumsum([0, *lengths])[:-1]
    index = b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 4, 3, 4)
    index += np.array(lengths, "<i4").tobytes() + pointers.astype("<i8").tobytes() + np.arange(4, dtype="<i8").tobytes()
    path = tmp_path / "text_document.idx"
    path.write_bytes(index)
    data = tmp_path / "text_document.bin"
    samples = read(data, {"tokens": tt.Tokens(9, dtype="int32", stride=8)})
    assert len(samples) == 12
    for place, (sample,) in enumerate(samples):
        np.testing.assert_array_equal(sample, tokens[8 * place : 8 * place + 9])
    with pytest.raises(tt.DataError, match="its tokens are int32, and uint16 was asked for"):
        read(data, {"tokens": tt.Tokens(8)})
    for wrong, words in [
        (index[:20], "too short"),
        (index[:-3], "do not fit 3 sequences"),
        (b"X" + index[1:], "no index of Megatron's"),
        (index[:17] + b"\x06" + index[18:], "of type 6"),
    ]:
        path.write_bytes(wrong)
        with pytest.raises(tt.DataError, match=words):
            read(data, {"tokens": tt.Tokens(8, dtype="int32")})
    path.write_bytes(index)
    data.write_bytes(tokens.tobytes() + bytes(4))
    with pytest.raises(tt.DataError, match="index of another file"):
        read(data, {"tokens": tt.Tokens(8, dtype="int32")})


def test_bytes_of_any_length(tmp_path):
    fields = {f"{number:02}.bin": bytes([number]) * (number * 1000) for number in range(20)}
    path = write_tar(tmp_path / "bytes.tar", fields)
    for _ in range(2):
        samples = read(path, {"bytes": tt.Bytes("bin"), "number": tt.Number()})
        assert [cell for cell, _ in samples] == list(fields.values())


def test_bytes_as_arrays_are_not_copied_and_not_to_be_written_to(tmp_path):
    fields = {f"{number:02}.bin": bytes([number]) * (number * 1000) for number in range(20)}
    path = write_tar(tmp_path / "bytes.tar", fields)
    loader = tt.Loader(path, batch_size=7, columns={"bytes": tt.Bytes("bin", arrays=True)}, shuffle=False)
    arrays = [array for batch in loader for array in batch["bytes"]]
    del loader
    assert [array.tobytes() for array in arrays] == list(fields.values())
    assert all(array.dtype == np.uint8 and not array.flags.writeable for array in arrays)

    def shorter(sample):
        return {"bytes": sample["bytes"][:500]}

    columns = {"bytes": tt.Bytes("bin", arrays=True)}
    made = tt.Loader(path, batch_size=20, columns=columns, shuffle=False, transform=shorter)
    (batch,) = made
    assert [array.tobytes() for array in batch["bytes"]] == [data[:500] for data in fields.values()]
