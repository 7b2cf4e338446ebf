"""Photographs, held against Pillow: decoded whole, then cut and resized with antialiasing."""

from __future__ import annotations

import colorsys
import gc
import io
import itertools
import tarfile

import numpy as np
import PIL.Image
import pytest
import trimtab as tt
from conftest import write_tar


def photographs(path, draft: bool = False) -> dict[str, tuple[PIL.Image.Image, int]]:
    """Each with its class; as a draft of at least 40 by 40 pixels, made smaller in decoding."""
    with tarfile.open(path) as tar:
        data = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}

    def opened(key: str) -> PIL.Image.Image:
        image = PIL.Image.open(io.BytesIO(data[f"{key}.jpg"]))
        if draft:
            image.draft("RGB", (40, 40))
        return image.convert("RGB")

    keys = [name.removesuffix(".jpg") for name in data if name.endswith(".jpg")]
    return {key: (opened(key), int(data[f"{key}.cls"])) for key in keys}


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


def test_jpegs_that_are_made_smaller_in_decoding_are_nearly_those_that_are_not(images):
    """Where the part is twice as large as what comes out or larger; elsewhere nothing changes."""
    path = images / "shard-0000.tar"
    columns = {
        f"{size}{name}": tt.Image("jpg", size=size, crop=crop, dct_scaling=scaled)
        for size, crop in [(40, None), (90, tt.RandomCrop((0.5, 1.0))), (800, None)]
        for name, scaled in [("", False), ("-scaled", True)]
    }
    (batch,) = tt.Loader(path, batch_size=100, columns=columns, shuffle=False)
    for size in (40, 90):
        each = [decibels(255 * a, 255 * b) for a, b in zip(batch[f"{size}"], batch[f"{size}-scaled"], strict=True)]
        assert np.median(each) >= 36 and np.min(each) >= 26, (size, np.median(each), np.min(each))
        assert np.max(each) < 100, "they are not the same"
    np.testing.assert_array_equal(batch["800"], batch["800-scaled"])
    # The library that Pillow has makes them smaller, too, where it is told to, and from the same coefficients: it is no nearer.
    drafts = [photograph for photograph, _ in photographs(path, draft=True).values()]
    drawn = [photograph.resize((40, 40), PIL.Image.Resampling.BILINEAR) for photograph in drafts]
    plain = [255 * image.transpose(1, 2, 0) for image in batch["40"]]
    theirs = [decibels(np.asarray(image, dtype=np.float32), whole) for image, whole in zip(drawn, plain, strict=True)]
    ours = [decibels(255 * a, 255 * b) for a, b in zip(batch["40-scaled"], batch["40"], strict=True)]
    assert np.median(ours) >= np.median(theirs) - 0.5, (np.median(ours), np.median(theirs))
    # Where some are made smaller, none are kept decoded by themselves: that would change them.
    small = {name: column for name, column in columns.items() if name.startswith("40")}
    again = tt.Loader(path, batch_size=100, columns=small, shuffle=False)
    for _ in range(3):
        (once_more,) = again
        np.testing.assert_array_equal(once_more["40-scaled"], batch["40-scaled"])
    assert again.report().memory.decoded == 0
    with pytest.raises(ValueError, match="40-scaled: .*leave decoded_cache out, or dct_scaling"):
        tt.Loader(path, batch_size=1, columns=columns, decoded_cache=1 << 20)


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


def gray(picture: np.ndarray) -> np.ndarray:
    red, green, blue = picture
    return 0.2989 * red + 0.587 * green + 0.114 * blue


def blended(picture: np.ndarray, factor: float, other: np.ndarray | float) -> np.ndarray:
    return np.clip(factor * picture + (1 - factor) * other, 0, 1)


def turned(picture: np.ndarray, share: float) -> np.ndarray:
    """By way of hue, saturation and value, as the standard library has them."""
    pixels = [colorsys.rgb_to_hsv(*pixel) for pixel in picture.reshape(3, -1).T]
    back = [colorsys.hsv_to_rgb((hue + share) % 1, saturation, value) for hue, saturation, value in pixels]
    return np.transpose(back).reshape(picture.shape)


OPERATIONS = {
    "brightness": lambda picture, factor: blended(picture, factor, 0.0),
    "contrast": lambda picture, factor: blended(picture, factor, gray(picture).mean()),
    "saturation": lambda picture, factor: blended(picture, factor, gray(picture)),
    "hue": turned,
}


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("brightness", 0.3),
        ("brightness", 1.7),
        ("contrast", 0.0),
        ("contrast", 2.5),
        ("saturation", 0.4),
        ("saturation", 3.0),
        ("hue", 0.5),
        ("hue", -0.17),
    ],
)
def test_colours_are_changed_step_by_step(images, name, factor):
    jitter = tt.ColorJitter(**{name: (factor, factor)})
    options = {"size": (19, 23), "crop": tt.RandomCrop(), "flip": 0.5}
    columns = {
        "plain": tt.Image("jpg", **options),
        "jittered": tt.Image("jpg", jitter=jitter, **options),
        "scaled": tt.Image("jpg", jitter=jitter, mean=tt.IMAGENET_MEAN, std=tt.IMAGENET_STD, **options),
        "bytes": tt.Image("jpg", jitter=jitter, dtype="uint8", **options),
    }
    (batch,) = tt.Loader(images / "shard-0000.tar", batch_size=100, columns=columns)
    expected = np.stack([OPERATIONS[name](picture, factor) for picture in batch["plain"].astype(np.float64)])
    assert np.abs(expected - batch["plain"]).mean() > 0.005
    np.testing.assert_allclose(batch["jittered"], expected, atol=2e-5)
    scaled = (expected - np.reshape(tt.IMAGENET_MEAN, (3, 1, 1))) / np.reshape(tt.IMAGENET_STD, (3, 1, 1))
    np.testing.assert_allclose(batch["scaled"], scaled, atol=1e-4)
    assert np.abs(batch["bytes"] - batch["jittered"] * 255).max() < 0.502


def test_colours_are_changed_in_an_order_drawn_for_each_sample(images):
    factors = {"brightness": 1.4, "contrast": 0.5, "saturation": 1.8, "hue": 0.2}
    jitter = tt.ColorJitter(**{name: (factor, factor) for name, factor in factors.items()})
    options = {"size": 12, "crop": tt.RandomCrop(), "flip": 0.5}
    columns = {"plain": tt.Image("jpg", **options), "jittered": tt.Image("jpg", jitter=jitter, **options)}
    (batch,) = tt.Loader(images / "shard-0001.tar", batch_size=100, columns=columns)
    found = set()
    for plain, jittered in zip(batch["plain"].astype(np.float64), batch["jittered"], strict=True):
        errors = {}
        for order in itertools.permutations(factors):
            picture = plain
            for name in order:
                picture = OPERATIONS[name](picture, factors[name])
            errors[order] = np.abs(picture - jittered).max()
        nearest = min(errors, key=errors.__getitem__)
        assert errors[nearest] < 2e-5
        found.add(nearest)
    assert len(found) >= 18


def test_jitter_is_drawn_for_each_sample_and_epoch_whatever_the_threads(images):
    columns = {
        "plain": tt.Image("jpg", size=8, crop=tt.RandomCrop(), flip=0.5),
        "darker": tt.Image("jpg", size=8, crop=tt.RandomCrop(), flip=0.5, jitter=tt.ColorJitter(brightness=(0.2, 0.8))),
        "all": tt.Image("jpg", size=8, crop=tt.RandomCrop(), jitter=tt.ColorJitter(0.4, 0.4, 0.4, 0.1, 0.8, 0.2)),
    }
    one = tt.Loader(images / "shard-0002.tar", batch_size=100, columns=columns, threads=1)
    three = tt.Loader(images / "shard-0002.tar", batch_size=100, columns=columns, threads=3)
    epochs = []
    for _ in range(2):
        (batch,), (other,) = one, three
        for name in columns:
            np.testing.assert_array_equal(batch[name], other[name])
        factors = batch["darker"].sum(axis=(1, 2, 3)) / batch["plain"].sum(axis=(1, 2, 3))
        assert 0.2 <= factors.min() < 0.25 and 0.75 < factors.max() <= 0.8 and 0.45 < factors.mean() < 0.55
        epochs.append(factors)
    assert np.abs(epochs[0] - epochs[1]).mean() > 0.1


def test_shares_of_samples_are_jittered_and_gray(images):
    options = {"size": 16, "crop": tt.RandomCrop(), "flip": 0.5, "mean": tt.IMAGENET_MEAN, "std": tt.IMAGENET_STD}
    columns = {
        "plain": tt.Image("jpg", **options),
        "never": tt.Image("jpg", jitter=tt.ColorJitter(brightness=(0.5, 0.5), p=0.0), **options),
        "often": tt.Image("jpg", jitter=tt.ColorJitter(brightness=(0.5, 0.5), p=0.8), **options),
        "unscaled": tt.Image("jpg", size=16, crop=tt.RandomCrop(), flip=0.5),
        "gray": tt.Image("jpg", size=16, crop=tt.RandomCrop(), flip=0.5, jitter=tt.ColorJitter(grayscale=0.3)),
    }
    batches = list(tt.Loader(images, batch_size=100, columns=columns))
    together = {name: np.concatenate([batch[name] for batch in batches]) for name in columns}
    assert len(together["plain"]) == 400
    np.testing.assert_array_equal(together["never"], together["plain"])
    changed = (together["often"] != together["plain"]).any(axis=(1, 2, 3))
    assert 290 <= changed.sum() <= 350
    is_gray = (together["gray"] != together["unscaled"]).any(axis=(1, 2, 3))
    assert 90 <= is_gray.sum() <= 150
    for picture, plain in zip(together["gray"][is_gray], together["unscaled"][is_gray], strict=True):
        np.testing.assert_allclose(picture, np.stack([gray(plain)] * 3), atol=2e-5)


def test_jitter_that_makes_no_sense_is_refused_in_words(images):
    for words, jitter in [
        ("image: a jitter's brightness, contrast and saturation", tt.ColorJitter(brightness=-0.1)),
        ("image: a jitter's brightness, contrast and saturation", tt.ColorJitter(contrast=(-0.1, 1.0))),
        ("image: a jitter's brightness, contrast and saturation", tt.ColorJitter(saturation=(1.5, 0.5))),
        ("image: a jitter's brightness, contrast and saturation", tt.ColorJitter(saturation=1e30)),
        ("image: a jitter's hue lies within -0.5 to 0.5", tt.ColorJitter(hue=0.6)),
        ("image: a jitter's hue lies within -0.5 to 0.5", tt.ColorJitter(hue=(-0.6, 0.0))),
        ("image: a jitter's hue lies within -0.5 to 0.5", tt.ColorJitter(hue=-0.1)),
        ("image: .*gray are between 0 and 1", tt.ColorJitter(p=1.1)),
        ("image: .*gray are between 0 and 1", tt.ColorJitter(grayscale=-0.1)),
    ]:
        with pytest.raises(ValueError, match=words):
            tt.Loader(images, batch_size=1, columns={"image": tt.Image("jpg", jitter=jitter)})


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


def test_images_are_kept_by_themselves_where_that_is_worth_it_until_batches_need_the_memory(images):
    columns = {"image": tt.Image("jpg", size=160, crop=tt.RandomCrop(), flip=0.5)}
    options = {"batch_size": 50, "columns": columns, "memory_limit": 600 << 20, "threads": 2}
    made, kept = [], []
    for loader in (tt.Loader(images, decoded_cache=0, **options), tt.Loader(images, **options)):
        epochs = [([hash(batch["image"].tobytes()) for batch in loader], loader.report().memory.decoded) for _ in range(4)]
        made.append([images for images, _ in epochs])
        kept.append([decoded for _, decoded in epochs])
    assert made[0] == made[1], "it changes nothing about what comes out"
    assert kept[0] == [0] * 4
    assert kept[1][0] == 0 and kept[1][-1] > 20 << 20, "the first epoch shows that it is worth it"
    tuned = loader
    held = []
    with pytest.raises(MemoryError):
        for _ in range(100):
            held += [batch["image"] for batch in tuned]
    assert tuned.report().memory.decoded == 0, "batches come first"
    assert sum(image.nbytes for image in held) > 0.8 * tuned.report().memory.batches_limit


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
