"""Training data that keeps accelerators busy, and where each step's time goes.

    import trimtab as tt

    loader = tt.Loader(
        "shards/train-{000..127}.tar",
        batch_size=64,
        columns={
            "image": tt.Image("jpg", size=224, crop=tt.RandomCrop(), flip=0.5, mean=tt.IMAGENET_MEAN, std=tt.IMAGENET_STD),
            "label": tt.Integer("cls"),
        },
    )
    clock = tt.StepClock()
    for batch in clock.steps(loader):
        step(batch["image"], batch["label"])
    print(clock.summary())
"""

from . import steps
from ._native import DataError, __version__
from .buckets import Buckets
from .columns import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Bytes,
    CentreCrop,
    ColorJitter,
    Image,
    Integer,
    Number,
    Part,
    RandomCrop,
    SourceName,
    SourceNumber,
    Text,
    Tokens,
)
from .loader import Loader
from .mix import Mix, Source
from .money import Money
from .ray import RayDatasource
from .report import Report
from .sequences import Packed, Padded, Sequences
from .stage import Transform
from .steps import StepClock
from .window import Window

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "Buckets",
    "Bytes",
    "CentreCrop",
    "ColorJitter",
    "DataError",
    "Image",
    "Integer",
    "Loader",
    "Mix",
    "Money",
    "Number",
    "Packed",
    "Padded",
    "Part",
    "RandomCrop",
    "RayDatasource",
    "Report",
    "Sequences",
    "Source",
    "SourceName",
    "SourceNumber",
    "StepClock",
    "Text",
    "Tokens",
    "Transform",
    "Window",
    "__version__",
    "steps",
]
