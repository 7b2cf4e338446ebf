"""Photographs, held against Pillow: decoded whole, then cut and resized with antialiasing."""

from __future__ import annotations

import gc
import io
import tarfile

import numpy as np
import PIL.Image
import pytest
import trimtab as tt
from conftest import write_tar


def photographs(path) -> dict[str, tuple[PIL.Image.Image, int]]:
    with tarfile.open(path) as tar:
        data = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}
    keys = [name.removesuffix(".jpg") for name in data if name.endswith(".jpg")]
    return {
        key: (PIL.Image.open(io.BytesIO(data[f"{key}.jpg"])).convert("RGB"), int(data[f"{key}.cls"])) for key in keys
    }


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((one - other) ** 2))


@pytest.mark.parametrize("crop", [None, tt.CentreCrop(256)])
def test_images_are_those_of_pillow(images, crop):
    columns = {"image": tt.Image("jpg", size=224, crop=crop), "label": tt.Integer("cls")}
    (batch,) = tt.Loader(images / "shard-0000.tar", batch_size=100, columns=columns, shuffle=False, threads=2)
    assert batch["image"].shape == (100, 3, 224, 224) and batch["image"].dtype == np.float32
    expected = photographs(images / "shard-0000.tar")
    assert len(expected) == 100
    for ours, label, (photograph, cls) in zip(batch["image"], batch["label"], expected.values(), strict=True):
        assert label == cls
        if crop is not None:
            side = int(224 * min(photograph.size) / 256 + 0.5)
            left, top = (photograph.width - side) // 2, (photograph.height - side) // 2
            photograph = photograph.crop((left, top, left + side, top + side))
        theirs = photograph.resize((224, 224), PIL.Image.Resampling.BILINEAR)
        assert decibels(ours.transpose(1, 2, 0) * 255, np.asarray(theirs, dtype=np.float32)) >= 50


def test_crops_flips_and_scales(images):
    plain = tt.Image("jpg", size=(48, 64))
    mean, std = (0.5, 0.25, 0.0), (2.0, 0.5, 1.0)
    columns = {
        "plain": plain,
        "flipped": tt.Image("jpg", size=(48, 64), flip=1.0),
        "scaled": tt.Image("jpg", size=(48, 64), mean=mean, std=std),
        "random": tt.Image("jpg", size=(48, 64), crop=tt.RandomCrop(), flip=0.5),
    }
    (batch,) = tt.Loader(images / "shard-0001.tar", batch_size=100, columns=columns)
    np.testing.assert_allclose(batch["flipped"], batch["plain"][..., ::-1], atol=1e-4)
    expected = (batch["plain"] - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    np.testing.assert_allclose(batch["scaled"], expected, atol=1e-4)
    assert np.abs(batch["random"] - batch["plain"]).mean(axis=(1, 2, 3)).min() > 0.001


def test_bytes_are_the_same_rounded(images):
    columns = {
        "bytes": tt.Image("jpg", size=(31, 45), crop=tt.RandomCrop(), flip=0.5, dtype="uint8"),
        "floats": tt.Image("jpg", size=(31, 45), crop=tt.RandomCrop(), flip=0.5),
    }
    (batch,) = tt.Loader(images / "shard-0002.tar", batch_size=100, columns=columns)
    assert batch["bytes"].dtype == np.uint8 and batch["bytes"].shape == (100, 3, 31, 45)
    assert np.abs(batch["bytes"] - batch["floats"] * 255).max() < 0.502
    with pytest.raises(ValueError, match="image: bytes are not normalised"):
        tt.Loader(images, batch_size=1, columns={"image": tt.Image("jpg", dtype="uint8", mean=tt.IMAGENET_MEAN)})


def test_the_part_that_is_drawn_is_told(images):
    columns = {
        "image": tt.Image("jpg", size=224, crop=tt.RandomCrop(), flip=0.5),
        "part": tt.Part("image"),
        "number": tt.Number(),
    }
    (batch,) = tt.Loader(images / "shard-0000.tar", batch_size=100, columns=columns)
    photographs_in_order = [photograph for photograph, _ in photographs(images / "shard-0000.tar").values()]
    assert sorted(batch["number"]) == list(range(100))
    assert 30 <= batch["part"][:, 4].sum() <= 70
    for ours, part, number in zip(batch["image"], batch["part"], batch["number"], strict=True):
        left, top, width, height, flipped = map(int, part)
        cut = photographs_in_order[number].crop((left, top, left + width, top + height))
        theirs = np.asarray(cut.resize((224, 224), PIL.Image.Resampling.BILINEAR), dtype=np.float32)
        ours = ours.transpose(1, 2, 0)[:, ::-1] if flipped else ours.transpose(1, 2, 0)
        assert decibels(ours * 255, theirs) >= 50


def test_images_that_are_kept_change_nothing(images):
    columns = {"image": tt.Image("jpg", size=32, crop=tt.RandomCrop(), flip=0.5)}
    plain = tt.Loader(images, batch_size=50, columns=columns)
    keeping = tt.Loader(images, batch_size=50, columns=columns, decoded_cache=1 << 30)
    for _ in range(3):
        for one, other in zip(plain, keeping, strict=True):
            np.testing.assert_array_equal(one["image"], other["image"])


def test_images_of_two_fields_are_kept_apart(tmp_path):
    def jpeg(colour: str) -> bytes:
        buffer = io.BytesIO()
        PIL.Image.new("RGB", (40, 30), colour).save(buffer, "JPEG")
        return buffer.getvalue()

    members = {}
    for number in range(4):
        members |= {f"{number}.left.jpg": jpeg("red"), f"{number}.right.jpg": jpeg("blue")}
    columns = {"left": tt.Image("left.jpg", size=8), "right": tt.Image("right.jpg", size=8)}
    loader = tt.Loader(write_tar(tmp_path / "two.tar", members), batch_size=4, columns=columns, decoded_cache=1 << 20)
    for _ in range(2):
        (batch,) = loader
        assert batch["left"][:, 0].min() > 0.9 and batch["right"][:, 0].max() < 0.1


def test_arrays_outlive_their_loader_and_are_no_copies(images):
    columns = {"image": tt.Image("jpg", size=16), "label": tt.Integer("cls")}
    loader = tt.Loader(images / "shard-0000.tar", batch_size=10, columns=columns, output="dlpack")
    batch = next(iter(loader))
    old, new = np.from_dlpack(batch["image"]), np.asarray(batch["image"])
    assert old.ctypes.data == new.ctypes.data and old.ctypes.data % 64 == 0
    assert np.from_dlpack(batch["label"]).dtype == np.int64
    before = new.copy()
    del batch, old
    rest = list(loader)
    del loader, rest
    gc.collect()
    np.testing.assert_array_equal(new, before)


def test_what_cannot_be_read_is_named_and_raised_or_left_out(images, tmp_path):
    good = next(iter(photographs(images / "shard-0000.tar").values()))[0]
    buffer = io.BytesIO()
    good.save(buffer, "JPEG")
    members = {}
    for number in range(20):
        broken = number in (3, 17)
        members[f"sample{number:02}.jpg"] = buffer.getvalue()[:2000] if broken else buffer.getvalue()
        members[f"sample{number:02}.cls"] = str(number).encode()
    path = write_tar(tmp_path / "broken.tar", members)
    columns = {"image": tt.Image("jpg", size=32), "label": tt.Integer("cls")}
    options = {"batch_size": 8, "columns": columns, "shuffle": False}
    with pytest.raises(tt.DataError, match=r"broken.tar: sample03: .*on_error='skip'"):
        list(tt.Loader(path, **options))
    skipping = tt.Loader(path, on_error="skip", **options)
    with pytest.warns(RuntimeWarning, match="sample03"):
        labels = [int(label) for batch in skipping for label in batch["label"]]
    assert labels == [number for number in range(20) if number not in (3, 17)]
    assert skipping.skipped == 2
    with pytest.raises(tt.DataError, match="it has no field png"):
        list(tt.Loader(path, batch_size=8, columns={"image": tt.Image("png")}))


def test_what_makes_no_sense_is_refused_in_words(images, tmp_path):
    shard = images / "shard-0000.tar"
    label = {"label": tt.Integer("cls")}
    for error, words, arguments in [
        (ValueError, "batch_size: ", {"data": shard, "columns": label, "batch_size": 0}),
        (ValueError, "columns: a batch has at least one", {"data": shard, "columns": {}, "batch_size": 1}),
        (ValueError, "rank: ", {"data": shard, "columns": label, "batch_size": 1, "rank": 2, "world_size": 2}),
        (ValueError, "together", {"data": shard, "columns": label, "batch_size": 1, "rank": 2}),
        (ValueError, "output is 'np'", {"data": shard, "columns": label, "batch_size": 1, "output": "np"}),
        (ValueError, "image: .*std", {"data": shard, "columns": {"image": tt.Image(std=(0, 1, 1))}, "batch_size": 1}),
        (tt.DataError, "no such file", {"data": tmp_path / "none.tar", "columns": label, "batch_size": 1}),
        (tt.DataError, "no such file", {"data": str(tmp_path / "*.tar"), "columns": label, "batch_size": 1}),
        (tt.DataError, "cannot be told", {"data": __file__, "columns": label, "batch_size": 1}),
    ]:
        with pytest.raises(error, match=words):
            tt.Loader(**arguments)
