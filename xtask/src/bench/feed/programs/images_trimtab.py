"""Images through trimtab: FOLDER with shards, bytes of decoded images that are kept."""

import sys

import trimtab as tt
from meter import measure

loader = tt.Loader(
    f"{sys.argv[1]}/shards/*.tar",
    batch_size=64,
    columns={
        "image": tt.Image(
            "jpg", size=224, crop=tt.RandomCrop(), flip=0.5, mean=tt.IMAGENET_MEAN, std=tt.IMAGENET_STD
        ),
        "label": tt.Integer("cls"),
    },
    threads=2,
    output="numpy",
    decoded_cache=int(sys.argv[2]),
    rank=0,
    world_size=1,
)


def epoch() -> int:
    return sum(len(batch["image"]) for batch in loader)


measure(epoch)
