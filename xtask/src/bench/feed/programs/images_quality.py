"""Every image of an epoch beside Pillow's: decoded whole, cut, resized with antialiasing, flipped. FOLDER, bytes kept."""

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import trimtab as tt
from PIL import Image

folder, room = Path(sys.argv[1]), int(sys.argv[2])
files = []
for shard in sorted((folder / "shards").glob("*.tar")):
    with tarfile.open(shard) as tar:
        files += [tar.extractfile(member).read() for member in tar if member.name.endswith(".jpg")]


def loader(kept: int) -> tt.Loader:
    columns = {
        "image": tt.Image("jpg", size=224, crop=tt.RandomCrop(), flip=0.5),
        "part": tt.Part("image"),
        "sample": tt.Number(),
    }
    return tt.Loader(
        f"{folder}/shards/*.tar", batch_size=64, columns=columns, threads=2, decoded_cache=kept, rank=0, world_size=1
    )


def decibels(image: np.ndarray, part: np.ndarray, sample: int) -> float:
    left, top, width, height, flipped = map(int, part)
    photograph = Image.open(io.BytesIO(files[sample])).convert("RGB").crop((left, top, left + width, top + height))
    theirs = np.asarray(photograph.resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float32)
    ours = image.transpose(1, 2, 0)[:, ::-1] if flipped else image.transpose(1, 2, 0)
    return 10 * np.log10(255**2 / np.mean((ours * 255 - theirs) ** 2))


figures, changed = [], 0
plain, keeping = loader(0), loader(room)
for _ in range(2):
    # In the second epoch, the images come from what was kept.
    for one, other in zip(plain, keeping, strict=True):
        same = (one["image"] == other["image"]).all(axis=(1, 2, 3))
        changed += int((~same).sum())
        figures += [decibels(*row) for row in zip(other["image"], other["part"], other["sample"], strict=True)]
print(
    json.dumps(
        {
            "images": len(figures),
            "decibels_min": float(min(figures)),
            "decibels_median": float(np.median(figures)),
            "changed_by_keeping": changed,
        }
    )
)
