"""What a batch is made of: each column is made from a field of every sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .sequences import Sequences

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""The mean of ImageNet's red, green and blue, each from 0 to 1."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Their standard deviation."""


@dataclass(frozen=True)
class RandomCrop:
    """A part of random area and shape, as torchvision's ``RandomResizedCrop`` draws it.

    ``scale``: its least and largest share of the image's pixels; ``ratio``: of its width by its height.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def _spec(self) -> dict[str, Any]:
        return {"random": {"area": list(self.scale), "ratio": list(self.ratio)}}


@dataclass(frozen=True)
class CentreCrop:
    """The middle, as if the image's shorter side were first drawn to ``shorter`` pixels: torchvision's ``Resize`` and
    ``CenterCrop``, in one step."""

    shorter: int = 256

    def _spec(self) -> dict[str, Any]:
        return {"centre": {"shorter": self.shorter}}


@dataclass(frozen=True)
class ColorJitter:
    """Colours changed by chance, as torchvision's ``ColorJitter`` and ``RandomGrayscale`` change floating-point tensors: cut off
    after each operation where they leave 0 to 1, and never rounded in between.

    ``brightness``, ``contrast`` and ``saturation``: the least and the largest factor, of which 1 changes nothing; or a number x for
    1 - x (0 at least) to 1 + x. ``hue``: the same in shares of the circle of colours, within -0.5 to 0.5, of which 0 changes
    nothing; or a number x for -x to x. Factors are drawn anew for each sample, and so is the order of the four. ``p``: the share of
    samples to which this is done. ``grayscale``: the share of samples that are gray in the end, whether or not the rest was done.
    """

    brightness: float | tuple[float, float] = 0.0
    contrast: float | tuple[float, float] = 0.0
    saturation: float | tuple[float, float] = 0.0
    hue: float | tuple[float, float] = 0.0
    p: float = 1.0
    grayscale: float = 0.0

    def _spec(self) -> dict[str, Any]:
        return {
            "brightness": _range(self.brightness, neutral=1.0, least=0.0),
            "contrast": _range(self.contrast, neutral=1.0, least=0.0),
            "saturation": _range(self.saturation, neutral=1.0, least=0.0),
            "hue": _range(self.hue, neutral=0.0, least=-0.5),
            "chance": self.p,
            "gray": self.grayscale,
        }


@dataclass(frozen=True)
class Image:
    """A picture (JPEG, PNG, WebP), decoded and drawn to one size: an array of shape (3, height, width), red, green and blue.

    ``field``: the field's name, or several, of which the first that a sample has is taken. ``size``: the side of a square, or
    (height, width). ``crop``: the part that is drawn; all of it if none is told. ``flip``: how often left and right change
    places. ``dtype``: float32, of which, from 0 to 1, ``mean`` is taken, and the rest divided by ``std``; or uint8, from 0 to 255, a
    quarter of the memory for whoever normalises on the device. ``jitter``: how colours are changed, of what is drawn, before it is
    normalised; not at all if it is not told. ``dct_scaling``: whether a JPEG whose part is at least twice as large as what it is drawn to
    is decoded at a half, a quarter or an eighth of its size, from fewer coefficients, which is faster and nearly the same.
    """

    field: str | Sequence[str] = ("jpg", "jpeg", "png", "webp")
    size: int | tuple[int, int] = 224
    crop: RandomCrop | CentreCrop | None = None
    flip: float = 0.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    dtype: Literal["float32", "uint8"] = "float32"
    jitter: ColorJitter | None = None
    dct_scaling: bool = False

    def _spec(self) -> dict[str, Any]:
        height, width = (self.size, self.size) if isinstance(self.size, int) else self.size
        crop: Any = "whole" if self.crop is None else self.crop._spec()
        image = {
            "width": width,
            "height": height,
            "crop": crop,
            "flip": self.flip,
            "mean": list(self.mean),
            "std": list(self.std),
            "dtype": self.dtype,
            "jitter": None if self.jitter is None else self.jitter._spec(),
            "dct_scaling": self.dct_scaling,
        }
        return {"fields": _names(self.field), "kind": {"image": image}}


@dataclass(frozen=True)
class Bytes:
    """A field as it is: a list of ``bytes``; with ``arrays``, a list of arrays of uint8 that lie where they were read to, without a copy,
    which is faster where they are large; they are not to be written to. Without a field's name, a line of text as a whole."""

    field: str | Sequence[str] = ()
    arrays: bool = False

    def _spec(self) -> dict[str, Any]:
        return {"fields": _names(self.field), "kind": "bytes"}


@dataclass(frozen=True)
class Text:
    """A field that is text in UTF-8: a list of ``str``. Without a field's name, a line of text as a whole."""

    field: str | Sequence[str] = ()

    def _spec(self) -> dict[str, Any]:
        return {"fields": _names(self.field), "kind": "text"}


@dataclass(frozen=True)
class Integer:
    """A whole number, in digits or as it is stored, such as a class: int64."""

    field: str | Sequence[str] = "cls"

    def _spec(self) -> dict[str, Any]:
        return {"fields": _names(self.field), "kind": "integer"}


@dataclass(frozen=True)
class Tokens:
    """Tokens of a file of plain numbers, or of Megatron's ``.bin``, ``length`` for each sample: int64 of shape (length,).

    ``dtype``: how they are stored: uint16, uint32, int32 or int64, least byte first. ``stride``: from one sample's first token to
    the next one's; with ``length - 1``, each sample ends with the token that the next begins with, so that inputs and labels
    can be cut from one array.
    """

    length: int
    dtype: str = "uint16"
    stride: int | None = None

    def _spec(self) -> dict[str, Any]:
        tokens = {"length": self.length, "dtype": self.dtype, "stride": self.stride}
        return {"fields": [], "kind": {"tokens": tokens}}


@dataclass(frozen=True)
class Part:
    """The part of an image that is drawn: int64 of shape (5,): left, top, width, height in pixels, and 1 where it is flipped. For
    boxes and points that are to follow their image.

    ``of``: the image's column.
    """

    of: str

    def _spec(self) -> dict[str, Any]:
        return {"kind": {"part": {"of": self.of}}}


@dataclass(frozen=True)
class Number:
    """The sample's place in the data, counted from 0: int64. Of a `Mix`, through all sources, one behind the other."""

    def _spec(self) -> dict[str, Any]:
        return {"kind": "number"}


@dataclass(frozen=True)
class SourceName:
    """What the sample's source is called in the `Mix`: a list of ``str``."""

    def _spec(self) -> dict[str, Any]:
        return {"kind": "source_name"}


@dataclass(frozen=True)
class SourceNumber:
    """The sample's source, counted from 0 in the order of the `Mix`: int64."""

    def _spec(self) -> dict[str, Any]:
        return {"kind": "source_number"}


Column = Image | Integer | Tokens | Bytes | Text | Part | Number | SourceName | SourceNumber | Sequences
"""Any of them."""


def _names(field: str | Sequence[str]) -> list[str]:
    return [field] if isinstance(field, str) else list(field)


def _range(factor: float | tuple[float, float], *, neutral: float, least: float) -> list[float] | None:
    """The least and the largest factor; none where nothing is to be changed. What makes no sense is told by the loader."""
    if isinstance(factor, Sequence):
        return list(factor)
    number = float(factor)
    return None if number == 0 else [max(least, neutral - number), neutral + number]
